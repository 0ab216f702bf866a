//! A mail server on loopback: it speaks SMTP as far as a sender needs it (RFC 5321, STARTTLS of RFC 3207, AUTH PLAIN and
//! LOGIN of RFC 4954), keeps what it gets, and misbehaves when told.

use data_encoding::BASE64;
use rustls::pki_types::PrivateKeyDer;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How connections are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all; the server does not know how.
    None,
    /// After STARTTLS; before it nothing is taken.
    StartTls,
    /// After STARTTLS, with an answer that a stranger on the way wrote behind the server's in the clear.
    StartTlsInjected,
    /// From the first byte.
    Implicit,
}

impl Encryption {
    const fn begins_later(self) -> bool {
        matches!(self, Self::StartTls | Self::StartTlsInjected)
    }
}

/// What the server does with a mail. Those that are told come in turn, and then every mail is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It is taken.
    Accepts,
    /// Its recipient is answered with this code.
    AnswersRecipient(u16),
    /// Its end is answered with this code.
    AnswersData(u16),
    /// Nothing is answered to its recipient, for ever.
    Hangs,
    /// The connection is cut in the middle of its text.
    DiesInData,
}

/// A mail that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// From whom, as the envelope says.
    pub from: String,
    /// To whom, as the envelope says.
    pub to: Vec<String>,
    /// The message as it was written, lines ending with CR LF.
    pub message: String,
    /// Whether it came encrypted.
    pub encrypted: bool,
    /// As whom the sender logged on.
    pub user: Option<String>,
}

/// The server; it stops when it is dropped.
#[derive(Debug)]
pub struct SmtpServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its certificate, for `localhost` and `127.0.0.1`, PEM.
    pub certificate: String,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    encryption: Encryption,
    credentials: Option<(String, String)>,
    manners: Mutex<VecDeque<Manner>>,
    mails: Mutex<Vec<ReceivedMail>>,
    connections: Mutex<usize>,
}

impl SmtpServer {
    /// Starts one that takes mail from anybody, or only after a logon with these credentials.
    pub async fn start(encryption: Encryption, credentials: Option<(&str, &str)>, manners: &[Manner]) -> Self {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let config = tls_config(&key);
        let state = Arc::new(State {
            encryption,
            credentials: credentials.map(|(user, password)| (user.to_owned(), password.to_owned())),
            manners: Mutex::new(manners.iter().copied().collect()),
            mails: Mutex::default(),
            connections: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shared, acceptor) = (Arc::clone(&state), TlsAcceptor::from(config));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *shared.connections.lock().unwrap() += 1;
                let (state, acceptor) = (Arc::clone(&shared), acceptor.clone());
                // A sender that goes away is no failure of the server's.
                tokio::spawn(async move { converse(stream, state, acceptor).await.unwrap_or_default() });
            }
        });
        Self { address, certificate: key.cert.pem(), state, listening }
    }

    /// The mails that were taken.
    #[must_use]
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.state.mails.lock().unwrap().clone()
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn tls_config(key: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Arc<rustls::ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let secret = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], secret).unwrap())
}

async fn converse(stream: TcpStream, state: Arc<State>, acceptor: TlsAcceptor) -> std::io::Result<()> {
    if state.encryption == Encryption::Implicit {
        let mut session = Session::new(&state, true);
        return session.run(&mut BufReader::new(acceptor.accept(stream).await?), true).await.map(drop);
    }
    let mut plain = BufReader::new(stream);
    if Session::new(&state, false).run(&mut plain, true).await? == After::StartTls {
        assert!(plain.buffer().is_empty(), "the sender went on in the clear");
        let encrypted = acceptor.accept(plain.into_inner()).await?;
        Session::new(&state, true).run(&mut BufReader::new(encrypted), false).await?;
    }
    Ok(())
}

/// Why a conversation ended.
#[derive(Debug, PartialEq, Eq)]
enum After {
    Quit,
    StartTls,
}

struct Session<'s> {
    state: &'s State,
    encrypted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl<'s> Session<'s> {
    const fn new(state: &'s State, encrypted: bool) -> Self {
        Self { state, encrypted, user: None, from: None, to: Vec::new() }
    }

    async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut BufReader<S>,
        greets: bool,
    ) -> std::io::Result<After> {
        if greets {
            say(stream, "220 localhost ESMTP").await?;
        }
        loop {
            let Some(line) = hear(stream).await? else { return Ok(After::Quit) };
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.introduce(stream).await?,
                "NOOP" => say(stream, "250 well").await?,
                "RSET" => {
                    (self.from, self.to) = (None, Vec::new());
                    say(stream, "250 forgotten").await?;
                }
                "QUIT" => {
                    say(stream, "221 bye").await?;
                    return Ok(After::Quit);
                }
                "STARTTLS" if self.state.encryption.begins_later() && !self.encrypted => {
                    let injected = self.state.encryption == Encryption::StartTlsInjected;
                    say(stream, if injected { "220 go ahead\r\n250 injected" } else { "220 go ahead" }).await?;
                    return Ok(After::StartTls);
                }
                _ if self.state.encryption.begins_later() && !self.encrypted => {
                    say(stream, "530 5.7.0 STARTTLS first").await?;
                }
                "AUTH" => self.log_on(stream, rest).await?,
                _ if self.state.credentials.is_some() && self.user.is_none() => {
                    say(stream, "530 5.7.0 log on first").await?;
                }
                "MAIL" => {
                    self.from = Some(path(rest));
                    say(stream, "250 noted").await?;
                }
                "RCPT" if self.from.is_some() => match self.manner() {
                    Some(Manner::AnswersRecipient(code)) => {
                        self.next_manner();
                        say(stream, &format!("{code} this recipient, no")).await?;
                    }
                    Some(Manner::Hangs) => std::future::pending().await,
                    Some(Manner::Accepts | Manner::AnswersData(_) | Manner::DiesInData) | None => {
                        self.to.push(path(rest));
                        say(stream, "250 noted").await?;
                    }
                },
                "DATA" if !self.to.is_empty() => {
                    if !self.take_mail(stream).await? {
                        return Ok(After::Quit);
                    }
                }
                _ => say(stream, "503 not now").await?,
            }
        }
    }

    async fn introduce<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut BufReader<S>) -> std::io::Result<()> {
        let mut lines = vec!["localhost", "8BITMIME"];
        if self.state.encryption.begins_later() && !self.encrypted {
            lines.push("STARTTLS");
        } else if self.state.credentials.is_some() {
            lines.push("AUTH PLAIN LOGIN");
        }
        let last = lines.len() - 1;
        for (number, line) in lines.into_iter().enumerate() {
            let separator = if number == last { ' ' } else { '-' };
            say(stream, &format!("250{separator}{line}")).await?;
        }
        Ok(())
    }

    async fn log_on<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut BufReader<S>,
        rest: &str,
    ) -> std::io::Result<()> {
        let decode = |text: &str| String::from_utf8(BASE64.decode(text.trim().as_bytes()).unwrap()).unwrap();
        let Some(initial) = rest.strip_prefix("PLAIN ") else {
            return say(stream, "504 PLAIN only").await;
        };
        let decoded = decode(initial);
        let parts: Vec<&str> = decoded.split('\0').collect();
        let expected = self.state.credentials.as_ref();
        if let [_, user, password] = parts.as_slice()
            && expected.is_some_and(|(name, secret)| name == user && secret == password)
        {
            self.user = Some((*user).to_owned());
            return say(stream, "235 welcome").await;
        }
        say(stream, "535 5.7.8 who are you").await
    }

    /// Takes the text of a mail; whether the connection goes on.
    async fn take_mail<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut BufReader<S>,
    ) -> std::io::Result<bool> {
        say(stream, "354 go ahead").await?;
        let manner = self.next_manner();
        let mut message = String::new();
        loop {
            let Some(line) = hear(stream).await? else { return Ok(false) };
            if manner == Manner::DiesInData {
                return Ok(false);
            }
            if line == "." {
                break;
            }
            // A line that begins with a point has one more on the way (RFC 5321 §4.5.2).
            message += line.strip_prefix('.').unwrap_or(&line);
            message += "\r\n";
        }
        if let Manner::AnswersData(code) = manner {
            say(stream, &format!("{code} this text, no")).await?;
            return Ok(true);
        }
        let mail = ReceivedMail {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            message,
            encrypted: self.encrypted,
            user: self.user.clone(),
        };
        self.state.mails.lock().unwrap().push(mail);
        say(stream, "250 queued as 42").await?;
        Ok(true)
    }

    fn manner(&self) -> Option<Manner> {
        self.state.manners.lock().unwrap().front().copied()
    }

    fn next_manner(&self) -> Manner {
        self.state.manners.lock().unwrap().pop_front().unwrap_or(Manner::Accepts)
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, line: &str) -> std::io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// A line without its end; nothing when the other side has gone.
async fn hear<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let length = stream.read_line(&mut line).await?;
    let ended = line.strip_suffix("\r\n").map(str::to_owned);
    Ok(if length == 0 { None } else { ended })
}

/// What stands between the brackets of `FROM:<…>`.
fn path(argument: &str) -> String {
    argument.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}
