//! A connection to a mail server, encrypted before anything that counts is said on it.
//!
//! STARTTLS is spoken here and not by lettre: what came in the clear behind the server's "go ahead" was written by
//! somebody on the way, and must not be read as an answer afterwards (as in CVE-2021-38371).

use crate::config::{Encryption, SmtpServer};
use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::pki_types::ServerName;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, ReadBuf,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The longest line of an answer (RFC 5321 §4.5.3.1.5 has 512), and the most lines.
const LONGEST_LINE: u64 = 2_048;
const MOST_LINES: usize = 100;

/// Connects to a server; `hello` is how this machine calls itself. What comes first on the stream is a greeting.
pub(super) async fn connect(server: &SmtpServer, tls: &TlsConnector, hello: &str) -> Result<Box<dyn AsyncTokioStream>> {
    let stream = TcpStream::connect((server.host.as_str(), server.port)).await?;
    let (stream, greeting): (TcpStream, &'static [u8]) = match server.encryption {
        Encryption::None => return Ok(Box::new(stream)),
        Encryption::Implicit => (stream, b""),
        // The server has greeted already, in the clear, and does not do so again.
        Encryption::StartTls => (ask_for_tls(stream, hello).await?, b"220 encrypted\r\n"),
    };
    let name = ServerName::try_from(server.host.clone()).map_err(|error| Error::new(ErrorKind::InvalidInput, error))?;
    let stream = tls.connect(name, stream).await?;
    Ok(Box::new(Greeted { greeting, stream }))
}

/// Speaks in the clear up to the point where TLS begins.
async fn ask_for_tls(stream: TcpStream, hello: &str) -> Result<TcpStream> {
    let mut stream = BufReader::new(stream);
    expect(&mut stream, "220").await?;
    stream.write_all(format!("EHLO {hello}\r\n").as_bytes()).await?;
    let offers = expect(&mut stream, "250").await?;
    if !offers.iter().any(|offer| offer.eq_ignore_ascii_case("STARTTLS")) {
        return Err(Error::new(ErrorKind::Unsupported, "the server does not offer STARTTLS"));
    }
    stream.write_all(b"STARTTLS\r\n").await?;
    expect(&mut stream, "220").await?;
    if !stream.buffer().is_empty() {
        return Err(Error::new(ErrorKind::InvalidData, "something was sent in the clear where TLS had to begin"));
    }
    Ok(stream.into_inner())
}

/// The lines of an answer without their code, if it has the code expected.
async fn expect(stream: &mut BufReader<TcpStream>, code: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    while lines.len() < MOST_LINES {
        let mut line = String::new();
        (&mut *stream).take(LONGEST_LINE).read_line(&mut line).await?;
        let Some(line) = line.strip_suffix("\r\n") else {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the connection ended in the middle of an answer"));
        };
        match line.strip_prefix(code).and_then(|rest| rest.split_at_checked(rest.len().min(1))) {
            Some(("-", text)) => lines.push(text.to_owned()),
            Some((" " | "", text)) => {
                lines.push(text.to_owned());
                return Ok(lines);
            }
            Some(_) | None => return Err(Error::other(format!("{code} was expected, and the server said: {line}"))),
        }
    }
    Err(Error::new(ErrorKind::InvalidData, "the server's answer has no end"))
}

/// An encrypted stream on which the other side has said something already.
#[derive(Debug)]
struct Greeted {
    greeting: &'static [u8],
    stream: TlsStream<TcpStream>,
}

impl AsyncTokioStream for Greeted {
    fn peer_addr(&self) -> Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Greeted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, into);
        }
        let (now, later) = self.greeting.split_at(self.greeting.len().min(into.remaining()));
        into.put_slice(now);
        self.greeting = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Greeted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
