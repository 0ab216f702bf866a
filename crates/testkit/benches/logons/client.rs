//! A client as small as can be: one kept connection, one request after the other.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One kept connection.
pub struct Client {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

/// The head of an answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, host: format!("localhost:{}", address.port()), buffer: Vec::with_capacity(16_384) }
    }

    pub async fn get(&mut self, path: &str, cookie: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", self.host);
        self.send(request).await
    }

    pub async fn post(&mut self, path: &str, cookie: &str, form: &str) -> Answer {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len(),
            host = self.host,
        );
        self.send(request).await
    }

    /// Sends a request as it is.
    pub async fn send(&mut self, request: String) -> Answer {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "the server hung up");
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let length = value(&head, "content-length").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
        while self.buffer.len() < head_end + length {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "the server hung up");
        }
        let body = String::from_utf8_lossy(&self.buffer[head_end..]).into_owned();
        Answer { status: head[9..12].parse().unwrap(), head, body }
    }
}

impl Answer {
    /// A cookie that the answer sets, as it is sent back.
    pub fn cookie(&self, name: &str) -> String {
        let prefix = format!("set-cookie: {name}=");
        let line = self.head.lines().find(|line| line.starts_with(&prefix)).unwrap_or_else(|| panic!("{}", self.head));
        line.trim_start_matches("set-cookie: ").split(';').next().unwrap().to_owned()
    }
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| *key == name).map(|(_, value)| value)
}
