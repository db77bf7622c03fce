"""Makes the pages of the site that are about the code from the running code."""
