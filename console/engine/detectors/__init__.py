"""What is wrong, found in what was seen. One file a detector; what they share is in `base` and `lifecycle`."""
