"""What a workshop is held with: copies of the notebooks for each learner, and a world of their own."""
