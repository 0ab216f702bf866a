use super::*;
use axum::routing::get;
use std::io::{Read as _, Write as _};
use std::net::TcpStream as Client;

/// A door that answers `hello` at `/`, and after a second at `/slow`.
async fn door(limits: Limits) -> (SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let slow = async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "hello at last"
    };
    let router = Router::new()
        .route("/", get(async |peer: ConnectInfo<SocketAddr>| format!("hello {}", peer.ip())))
        .route("/slow", get(slow));
    let (sender, stop) = Stop::new();
    let served = tokio::spawn(Door { listener, router, tls: None, limits }.serve(stop));
    (address, sender, served)
}

/// Sends bytes and reads until the other side closes.
async fn exchange(address: SocketAddr, bytes: Vec<u8>) -> String {
    let exchange = move || {
        let mut client = Client::connect(address).unwrap();
        client.write_all(&bytes).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap_or_default();
        answer
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

fn request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_132_silent_clients_take_no_place_from_others() {
    let (address, _stop, _) = door(Limits { total: 40, each: 30, ..Limits::DIRECT }).await;
    let _silent: Vec<Client> = (0..40).map(|_| Client::connect(address).unwrap()).collect();
    // All of 127.0.0.0/8 is this machine: another address is another client.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let other = socket.connect(address).await.unwrap().into_std().unwrap();
    other.set_nonblocking(false).unwrap();
    let answer = tokio::task::spawn_blocking(move || {
        let mut other = other;
        other.write_all(&request("/")).unwrap();
        let mut answer = String::new();
        other.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(answer.await.unwrap().ends_with("hello 127.0.0.2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_132_ten_thousand_headers_are_refused() {
    let (address, _stop, _) = door(Limits::DIRECT).await;
    let mut many = b"GET / HTTP/1.1\r\nhost: x\r\n".to_vec();
    (0..10_000).for_each(|number| many.extend(format!("x-{number}: x\r\n").into_bytes()));
    many.extend(b"\r\n");
    let answer = exchange(address, many).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let answer = exchange(address, request("/")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_132_a_slow_head_is_cut_off_whether_or_not_it_began() {
    let (address, _stop, _) = door(Limits { head: Duration::from_millis(300), ..Limits::DIRECT }).await;
    let silent = tokio::spawn(exchange(address, Vec::new()));
    let half = tokio::spawn(exchange(address, b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ".to_vec()));
    let preface = tokio::spawn(exchange(address, b"PRI * HT".to_vec()));
    for client in [silent, half, preface] {
        let answer = timeout(Duration::from_secs(5), client).await.unwrap().unwrap();
        assert!(!answer.contains("hello"), "{answer}");
    }
    let kept = tokio::spawn(exchange(address, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()));
    let answer = timeout(Duration::from_secs(5), kept).await.unwrap().unwrap();
    assert!(answer.ends_with("hello 127.0.0.1"), "an idle connection that is kept alive is closed after its answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_is_finished_when_it_stops() {
    let (address, stop, served) = door(Limits::DIRECT).await;
    let idle = Client::connect(address).unwrap();
    let answer = tokio::spawn(exchange(address, request("/slow")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(true).unwrap();
    assert!(answer.await.unwrap().ends_with("hello at last"));
    timeout(Duration::from_secs(2), served).await.unwrap().unwrap();
    assert!(Client::connect(address).is_err());
    drop(idle);
}
