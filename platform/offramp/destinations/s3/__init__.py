"""S3 and stores that speak its protocol, Google's XML API among them as a dialect. Google's own API is in gcs."""
