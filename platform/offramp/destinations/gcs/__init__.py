"""Google Cloud Storage by its JSON API. HMAC keys go through the XML API, which is a dialect in s3."""
