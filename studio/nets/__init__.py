"""What neural steps share: features, losses, synthesisers, training by the clock, model files."""
