//! A logon with a passkey and nothing else over HTTP, against a second factor by code over HTTP in the same run. Both
//! commit to disk and open a session. What the authenticators sign is signed before.

use crate::client::Client;
use crate::population::{self, User};
use crate::{Bench, CLIENTS, ratio, report, second_factor, spread};
use countersign_core::webauthn::RelyingParty;
use countersign_model::clock::{Clock as _, SystemClock};
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::KeyId;
use countersign_model::webauthn::{Aaguid, KeyKind, Trust, WebAuthnCredential};
use countersign_ram_api::signature::canonical::encode;
use countersign_store::{Location, StoreError, Tx, webauthn_credentials};
use countersign_testkit::SoftKey;
use countersign_webauthn::{AssertionDemand, AssertionResponse, KnownCredential, UserVerification};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use std::time::Instant;

const USERS: usize = 2_000;
const ROUNDS: usize = 3;
const VERIFICATIONS: usize = 5_000;
const CORES: f64 = 2.0;

/// Somebody's passkey, in his hand and as it is stored.
struct Holder {
    key: SoftKey,
    stored: WebAuthnCredential,
}

/// What a browser sends to log on.
struct Shown {
    cookie: String,
    form: String,
}

pub async fn run() {
    println!("\nA passkey in the place of everything, SQLite, synchronous=FULL");
    let folder = tempfile::TempDir::new_in(".").unwrap();
    let bench = Bench::start(Location::Sqlite(folder.path().join("data/bench.db"))).await;
    let coded = population::users(&bench, &population::account(&bench, "codes").await, USERS * (ROUNDS + 1), "-").await;
    let keyed = population::users(&bench, &population::account(&bench, "keys").await, USERS, "-").await;
    let mut holders = holders(&bench, &keyed).await;

    let mut best = [0.0_f64; 2];
    for share in coded.chunks(USERS).take(ROUNDS) {
        best[0] = best[0].max(second_factor::over_http(&bench, share, CLIENTS).await);
        best[1] = best[1].max(log_on(&bench, &mut holders).await);
    }
    ratio("a passkey to a second factor by code (at least 0.4)", best[1], best[0]);
    let each = verification(holders.first_mut().unwrap());
    println!("{:<64} {:>10.1} us", "the check of its signature, all in all", each * 1e6);
    println!("{:<64} {:>9.0} %", "... of what a logon takes of two cores", each * best[1] / CORES * 100.0);
}

/// All log on once.
async fn log_on(bench: &Bench, holders: &mut [Holder]) -> f64 {
    let mut shown = Vec::with_capacity(holders.len());
    for holder in holders {
        let (token, prompt) = bench.core.begin_passkey_logon().await.unwrap();
        let form = format!("response={}", encode(&holder.key.get(&prompt.options)));
        shown.push(Shown { cookie: format!("countersign-passkey={}", token.expose()), form });
    }
    let count = shown.len();
    let took = spread(shown, CLIENTS, |share: Vec<Shown>| {
        let address = bench.address;
        async move {
            let mut client = Client::connect(address).await;
            for Shown { cookie, form } in share {
                let answer = client.post("/logon/passkey", &cookie, &form).await;
                assert!(answer.status == 303 && answer.head.contains("countersign-session="), "{}", answer.body);
            }
        }
    })
    .await;
    report(&format!("passkeys over HTTP, {CLIENTS} clients"), count, took)
}

/// A passkey for each of these users.
async fn holders(bench: &Bench, users: &[User]) -> Vec<Holder> {
    let holders: Vec<Holder> = users.iter().map(holder).collect();
    let rows: Vec<WebAuthnCredential> = holders.iter().map(|holder| holder.stored.clone()).collect();
    let unit = async move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        for row in &rows {
            assert!(webauthn_credentials::insert(tx, row).await?);
        }
        Ok(())
    };
    bench.store.write(unit).await.unwrap();
    holders
}

fn holder(user: &User) -> Holder {
    let mut key = SoftKey::passkey();
    let handle = Sha256::digest(format!("user handle/{}/{}", user.account, user.id));
    let handle = BASE64URL_NOPAD.encode(&handle);
    key.create(&format!(r#"{{"rp":{{"id":"localhost"}},"user":{{"id":"{handle}"}},"challenge":"AA"}}"#));
    let stored = WebAuthnCredential {
        id: KeyId::generate(&OsEntropy),
        account_id: user.account.clone(),
        principal_id: user.id.clone(),
        kind: KeyKind::Passkey,
        credential_id: key.id(),
        rp_id: "localhost".to_owned(),
        public_key: key.public_key(),
        sign_count: 0,
        transports: Vec::new(),
        aaguid: Aaguid::new(key.aaguid),
        backup_eligible: false,
        backed_up: false,
        user_verified: true,
        attestation_format: "none".to_owned(),
        trust: Trust::None,
        name: "Passkey".parse().unwrap(),
        created_at: SystemClock.now(),
        last_used_at: None,
        held: None,
    };
    Holder { key, stored }
}

/// How many seconds one answer takes to be read and verified, on one core.
fn verification(holder: &mut Holder) -> f64 {
    let challenge = [7; 32];
    let encoded = BASE64URL_NOPAD.encode(&challenge);
    let options = format!(r#"{{"rpId":"localhost","challenge":"{encoded}","allowCredentials":[]}}"#);
    let response = holder.key.get(&options);
    let relying_party = RelyingParty::new("localhost", "http://localhost:8080");
    let begun = Instant::now();
    for _ in 0..VERIFICATIONS {
        let response = AssertionResponse::parse(black_box(&response)).unwrap();
        let demand = AssertionDemand { challenge: &challenge, user_verification: UserVerification::Required };
        let known = KnownCredential {
            id: &holder.stored.credential_id,
            public_key: &holder.stored.public_key,
            sign_count: 0,
            backup_eligible: false,
        };
        black_box(relying_party.verify_assertion(demand, known, &response).unwrap());
    }
    begun.elapsed().as_secs_f64() / VERIFICATIONS as f64
}
