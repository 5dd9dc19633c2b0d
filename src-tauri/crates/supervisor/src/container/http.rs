//! As much of HTTP as a question about health needs.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Sends a request and reads the status of its answer; what follows is of no interest.
pub(crate) async fn status(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
) -> io::Result<u16> {
    stream.write_all(request.as_bytes()).await?;
    let mut line = [0; 12];
    stream.read_exact(&mut line).await?;
    parse(line).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no answer in HTTP"))
}

/// `HTTP/1.1 200`, or `HTTP/1.0`.
fn parse(line: [u8; 12]) -> Option<u16> {
    let code = line.strip_prefix(b"HTTP/1.")?.get(2..)?;
    str::from_utf8(code).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_status_is_read_from_the_first_line() {
        assert_eq!(parse(*b"HTTP/1.1 200"), Some(200));
        assert_eq!(parse(*b"HTTP/1.0 503"), Some(503));
        assert_eq!(parse(*b"SSH-2.0-Open"), None);
        assert_eq!(parse(*b"HTTP/1.1 2x0"), None);
    }
}
