"""The inside of ramps: shares and weights, counting, what is harm, and the way back; `runbooks.ramping` is its door."""
