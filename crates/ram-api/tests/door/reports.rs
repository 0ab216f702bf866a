//! The credential report: made by one call of many, read in parts.

use countersign_testkit::api::Client;
use countersign_testkit::{Kit, both_engines};
use std::collections::BTreeMap;
use std::time::Duration;

/// A part of the report and the token of the next one.
async fn part(kit: &Kit, client: &Client, items: &str, token: &str) -> (String, String) {
    let part = client.ims(kit, "GetCredentialReport", &[("MaxItems", items), ("NextToken", token)]).await.ok();
    let content = data_encoding::BASE64.decode(part.text("/Content").as_bytes()).unwrap();
    (String::from_utf8(content).unwrap(), part.text("/NextToken"))
}

async fn whole(kit: &Kit, client: &Client, items: &str) -> String {
    let (mut csv, mut token) = (String::new(), String::new());
    loop {
        let (content, next) = part(kit, client, items, &token).await;
        assert!(content.lines().count() <= items.parse().unwrap());
        csv += &content;
        if next.is_empty() {
            return csv;
        }
        token = next;
    }
}

both_engines! {
    async fn of_many_calls_at_once_one_makes_the_report(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let calls: Vec<_> = (0..16).map(|_| {
            let (client, call) = (client.clone(), client.signed(&kit, countersign_ram_api::api::Api::Ims, "GenerateCredentialReport", &[]));
            tokio::spawn(async move { client.send(&call).await.ok().text("/State") })
        }).collect();
        let mut states = BTreeMap::<String, usize>::new();
        for call in calls {
            *states.entry(call.await.unwrap()).or_default() += 1;
        }
        assert!(states.keys().all(|state| state == "COMPLETED" || state == "INPROGRESS"), "{states:?}");
        assert!(states.contains_key("COMPLETED"));
        let made = kit.events(&acme.id).await.iter().filter(|event| event.action == "GenerateCredentialReport").count();
        assert_eq!(made, 1);
        assert_eq!(kit.count("credential_report_parts").await, 1);
    }

    async fn a_report_that_was_begun_and_never_finished_is_begun_anew(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let now = kit.core().now().micros();
        let begun = format!(
            "INSERT INTO credential_reports (account_id, lines, making, making_until) VALUES ('{}', 0, {now}, {})",
            acme.id, now + 60_000_000
        );
        kit.sql(begun.leak(), &[]).await;
        let begun = format!(
            "INSERT INTO credential_report_parts (account_id, generated_at, part, content) VALUES ('{}', {now}, 0, 'x')", acme.id
        );
        kit.sql(begun.leak(), &[]).await;
        assert_eq!(client.ims(&kit, "GenerateCredentialReport", &[]).await.ok().text("/State"), "INPROGRESS");
        assert_eq!(client.ims(&kit, "GetCredentialReport", &[]).await.code(), "EntityNotExist.CredentialReport");
        kit.advance(Duration::from_mins(2));
        assert_eq!(client.ims(&kit, "GenerateCredentialReport", &[]).await.ok().text("/State"), "COMPLETED");
        assert!(whole(&kit, &client, "3501").await.starts_with("user,"));
        assert_eq!(kit.count("credential_report_parts").await, 1);
    }

    async fn a_report_is_read_in_pages_of_any_size_and_a_page_costs_what_it_tells(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        // More users than are read at once, and more than one part of the report.
        let many = "INSERT INTO principals (account_id, principal_id, kind, name, canonical_name, display_name, comments, search, \
                    epoch, version, created_at, updated_at) \
                    WITH RECURSIVE numbers (number) AS (SELECT 100 UNION ALL SELECT number + 1 FROM numbers WHERE number < 729) \
                    SELECT account_id, '100000000000000' || number, 'ram-user', 'u' || number, 'u' || number, '', '', '', 1, 1, \
                    created_at, updated_at FROM principals, numbers WHERE kind = 'owner'";
        assert_eq!(kit.sql(many, &[]).await, 630);
        client.ims(&kit, "GenerateCredentialReport", &[]).await.ok();
        let csv = whole(&kit, &client, "3501").await;
        assert_eq!(csv.lines().count(), 632);
        assert_eq!(kit.count("credential_report_parts").await, 7);
        for items in ["99", "100", "101", "632"] {
            assert_eq!(whole(&kit, &client, items).await, csv, "{items}");
        }
        // One line is read from one part: the others may be gone.
        let (first, next) = part(&kit, &client, "1", "").await;
        assert!(first.starts_with("user,") && first.lines().count() == 1);
        kit.sql("DELETE FROM credential_report_parts WHERE part > 0", &[]).await;
        assert!(part(&kit, &client, "1", &next).await.0.starts_with("<root>,"));
        // What is not there is not passed over.
        assert_eq!(client.ims(&kit, "GetCredentialReport", &[]).await.code(), "ServiceUnavailable");
    }

    async fn a_key_was_rotated_when_it_was_made(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let client = kit.owner_client(&acme).await;
        let made = client.ram(&kit, "CreateAccessKey", &[("UserName", "alice")]).await.ok();
        let (id, at) = (made.text("/AccessKey/AccessKeyId"), made.text("/AccessKey/CreateDate"));
        kit.advance(Duration::from_hours(24));
        let status = [("UserName", "alice"), ("UserAccessKeyId", id.as_str()), ("Status", "Inactive")];
        client.ram(&kit, "UpdateAccessKey", &status).await.ok();
        client.ims(&kit, "GenerateCredentialReport", &[]).await.ok();
        let csv = whole(&kit, &client, "3501").await;
        let alice: Vec<&str> = csv.lines().find(|line| line.starts_with("alice,")).unwrap().split(',').collect();
        assert_eq!(alice[8..12], ["TRUE", "FALSE", at.as_str(), "-"]);
    }
}
