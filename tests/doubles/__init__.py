"""Honest doubles of GitLab and of gitlab-runner, as programs of their own; see README.md."""
