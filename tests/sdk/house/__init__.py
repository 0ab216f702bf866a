"""What the stories are told with: the server, the SDKs, a console without script, a phone."""
