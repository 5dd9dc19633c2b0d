use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest JSON frame, in bytes.
pub const FRAME_CAP: usize = 64 * 1024;

/// Writes one value as a frame: four bytes of length, the highest first, then JSON.
///
/// # Errors
/// The stream failed, or the value is longer than [`FRAME_CAP`].
pub async fn write_frame(
    to: &mut (impl AsyncWrite + Unpin),
    value: &impl Serialize,
) -> io::Result<()> {
    to.write_all(&encode(value)?).await?;
    to.flush().await
}

/// Reads one frame.
///
/// # Errors
/// The stream failed or ended, the frame is longer than [`FRAME_CAP`], or it is not the JSON of a
/// `T`.
pub async fn read_frame<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let length = from.read_u32().await? as usize;
    if length > FRAME_CAP {
        return Err(invalid(format!("a frame of {length} bytes")));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await?;
    serde_json::from_slice(&bytes).map_err(invalid)
}

pub(crate) fn encode(value: &impl Serialize) -> io::Result<Vec<u8>> {
    // Length and body in one write: it is one wake-up of the peer.
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, value).map_err(invalid)?;
    let length = bytes.len() - 4;
    if length > FRAME_CAP {
        return Err(invalid(format!("a frame of {length} bytes")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked against the cap")]
    bytes[..4].copy_from_slice(&(length as u32).to_be_bytes());
    Ok(bytes)
}

fn invalid(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}
