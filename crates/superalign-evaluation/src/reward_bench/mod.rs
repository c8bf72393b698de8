//! Official sums of RewardBench 1 and 2.
