"""What openIMIS' report module expects of the installation around it."""
