"""What has been: fills, and what they came to."""
