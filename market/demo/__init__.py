"""The demo and the journey: the main job walked through HTTP, nothing else."""
