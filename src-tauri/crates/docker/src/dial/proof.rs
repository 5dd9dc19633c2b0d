//! Proves that an engine answers at the far end of a new connection.
//!
//! What stands between us and a far engine accepts gladly: a proxy whose engine is gone, a TLS server
//! that looks at our certificate after the handshake, an ssh whose far command fails. One small
//! request shows all of it while the words of the failure are still at hand.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Asks for a head only, so that nothing of the answer is left in the stream.
const REQUEST: &[u8] = b"HEAD /_ping HTTP/1.1\r\nHost: engine\r\n\r\n";

/// Bytes of the answer's head that are read.
const HEAD_CAP: usize = 16 * 1024;

/// Sends the request and reads the answer to the end of its head; any status is an engine's.
pub(super) async fn prove<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T) -> io::Result<()> {
    stream.write_all(REQUEST).await?;
    stream.flush().await?;
    let mut head = Vec::new();
    let mut byte = [0; 1];
    // Byte by byte, as what follows the head is not ours.
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.push(byte[0]);
        let begins_well = head.iter().zip(BEGINNING).all(|(is, should)| is == should);
        if !begins_well || head.len() == HEAD_CAP {
            let words = "what answers there is no Docker engine";
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
    }
    Ok(())
}

/// How every answer begins.
const BEGINNING: &[u8] = b"HTTP/1.";

#[cfg(test)]
mod tests {
    use super::*;

    async fn answered(answer: &'static [u8]) -> io::Result<Vec<u8>> {
        let (mut near, mut far) = tokio::io::duplex(1024);
        far.write_all(answer).await?;
        far.shutdown().await?;
        prove(&mut near).await?;
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await?;
        Ok(rest)
    }

    #[tokio::test]
    async fn any_status_will_do_and_nothing_more_is_read() -> io::Result<()> {
        let well = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nnext";
        assert_eq!(answered(well).await?, b"next");
        assert_eq!(answered(b"HTTP/1.1 404 Not Found\r\n\r\n").await?, b"");
        Ok(())
    }

    #[tokio::test]
    async fn what_is_no_engine_is_told_from_an_end() {
        for (answer, kind) in [
            (&b""[..], io::ErrorKind::UnexpectedEof),
            (b"HTTP/1.1 200 OK\r\n", io::ErrorKind::UnexpectedEof),
            (b"SSH-2.0-x\r\n\r\n", io::ErrorKind::InvalidData),
            (b"\x15\x03\x03", io::ErrorKind::InvalidData),
        ] {
            let refused = answered(answer).await.map_err(|error| error.kind());
            assert_eq!(refused, Err(kind), "{answer:?}");
        }
    }
}
