//! Parts of files on a stream: a frame says what follows, and then come its bytes.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::frame::{encode, read_frame};

/// Writes a part.
///
/// # Errors
/// The stream failed, or what is said of the part is longer than a frame.
pub async fn write_part(
    to: &mut (impl AsyncWrite + Unpin),
    part: &impl Serialize,
    bytes: &[u8],
) -> io::Result<()> {
    to.write_all(&encode(part)?).await?;
    to.write_all(bytes).await?;
    to.flush().await
}

/// Reads a part; `size` says how many bytes it has, or refuses it before they are read.
///
/// # Errors
/// The stream failed or ended, or the part was refused.
pub async fn read_part<P: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
    size: impl FnOnce(&P) -> io::Result<usize>,
) -> io::Result<(P, Vec<u8>)> {
    let part = read_frame(from).await?;
    let mut bytes = vec![0; size(&part)?];
    from.read_exact(&mut bytes).await?;
    Ok((part, bytes))
}

#[cfg(test)]
mod tests {
    use super::{read_part, write_part};

    fn at_most_three(size: &usize) -> std::io::Result<usize> {
        let is_small = *size <= 3;
        is_small
            .then_some(*size)
            .ok_or_else(|| std::io::Error::other("too long"))
    }

    #[tokio::test]
    async fn a_part_is_read_as_it_was_written_and_refused_before_its_bytes() {
        let (mut near, mut far) = tokio::io::duplex(1024);
        write_part(&mut near, &3_usize, b"abc").await.unwrap();
        write_part(&mut near, &4_usize, b"abcd").await.unwrap();
        drop(near);
        let read = read_part(&mut far, at_most_three).await.unwrap();
        assert_eq!(read, (3, b"abc".to_vec()));
        let refused = read_part(&mut far, at_most_three).await.unwrap_err();
        assert_eq!(refused.to_string(), "too long");
    }
}
