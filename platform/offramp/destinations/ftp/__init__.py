"""FTP and FTP with explicit TLS over ftplib. SFTP, which shares nothing with it but letters, is in sftp."""
