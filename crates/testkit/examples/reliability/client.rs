//! A client that blocks, and that outlives its server: whatever breaks is an error.

use crate::population::User;
use countersign_model::token::Token;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One kept connection.
pub struct Client {
    stream: TcpStream,
    host: String,
}

/// What a code came to, as the server told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A session was opened: its cookie.
    Accepted(String),
    /// The code was refused.
    Refused,
    /// Another status: 503 when it cannot be written.
    Other(u16),
}

impl Client {
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, host: format!("localhost:{}", address.port()) })
    }

    /// Sends a code for a logon that waits for one.
    pub fn send_code(&mut self, logon: &Token, code: &str) -> io::Result<Told> {
        let host = &self.host;
        let form = format!("code={code}");
        let request = format!(
            "POST /logon/second-factor HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             Cookie: countersign-logon={}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            logon.expose(),
            form.len(),
        );
        let (status, head) = self.exchange(&request)?;
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: countersign-session="));
        Ok(match (status, cookie.and_then(|cookie| cookie.split(';').next()).filter(|cookie| !cookie.is_empty())) {
            (303, Some(cookie)) => Told::Accepted(format!("countersign-session={cookie}")),
            (422, _) => Told::Refused,
            (other, _) => Told::Other(other),
        })
    }

    /// Whether a session is open.
    pub fn is_logged_on(&mut self, cookie: &str) -> io::Result<bool> {
        let request = format!("GET /me/security HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", self.host);
        Ok(self.exchange(&request)?.0 == 200)
    }

    fn exchange(&mut self, request: &str) -> io::Result<(u16, String)> {
        self.stream.write_all(request.as_bytes())?;
        let broken = || io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up");
        let mut answer = Vec::new();
        let mut piece = [0; 16_384];
        loop {
            if let Some(at) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&answer[..at]).into_owned();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
                if answer.len() >= at + 4 + length.unwrap_or(0) {
                    return Ok((head[9..12].parse().map_err(|_| broken())?, head));
                }
            }
            match self.stream.read(&mut piece)? {
                0 => return Err(broken()),
                read => answer.extend_from_slice(&piece[..read]),
            }
        }
    }
}

/// A user with a logon that waits for his code.
pub type Waiting = (Token, User);
