"""The statistics that detectors stand on: written by hand, small, online, bounded in memory, without a dependency."""
