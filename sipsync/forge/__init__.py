"""The plan as one comment in a pull or merge request, through the API of GitHub or GitLab."""
