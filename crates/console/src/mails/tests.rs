use super::*;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::NoticeId;
use countersign_model::notice::NoticeKind;

const URL: &str = "https://logon.example.com";

fn notice(kind: NoticeKind, name: &str) -> NoticeView {
    let at = Timestamp::from_seconds(1_800_000_000);
    NoticeView {
        id: NoticeId::at(at, &OsEntropy),
        kind,
        facts: NoticeFacts {
            alias: "acme".to_owned(),
            logon_name: name.to_owned(),
            by: Doer::Oneself,
            address: "192.0.2.7".to_owned(),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0".to_owned(),
        },
        at,
        disown_token: "id.mac".into(),
    }
}

#[test]
fn every_kind_has_words_in_both_languages() {
    let mails = Mails::load();
    for (language, program) in [("en", "Firefox on Linux"), ("zh-CN", "Linux 上的 Firefox")] {
        for kind in NoticeKind::ALL {
            let mail = mails.render(&notice(*kind, "alice@acme.countersign.local"), language, URL);
            for text in [&mail.text, &mail.html] {
                for part in [
                    "alice@acme.countersign.local",
                    "2027-01-15 08:00:00 UTC",
                    "2027-01-22 08:00:00 UTC",
                    "192.0.2.7",
                    program,
                    "https://logon.example.com/not-me?notice=id.mac",
                ] {
                    assert!(text.contains(part), "{kind} {language}: {part} is missing in {text}");
                }
            }
            assert!(mail.subject.contains("alice@acme"), "{}", mail.subject);
            for text in [&mail.subject, &mail.text] {
                assert!(!text.contains("mail-") && !text.contains("notice-") && !text.contains('{'), "{text}");
            }
            let title = mails.words(language).s(&format!("notice-{kind}"));
            assert!(!title.starts_with("notice-"), "{title}");
        }
    }
    assert_ne!(mails.test("en", URL), mails.test("zh-CN", URL));
    assert_eq!(mails.test("fr", URL), mails.test("en", URL));
}

#[test]
fn whoever_did_it_is_named() {
    let mut notice = notice(NoticeKind::MfaUnbound, "alice@acme.countersign.local");
    notice.facts.by = Doer::Administrator("rita".to_owned());
    let mail = Mails::load().render(&notice, "en", URL);
    assert!(mail.text.contains("By whom: Administrator rita\nFrom: 192.0.2.7\n"), "{}", mail.text);
    notice.facts.by = Doer::Operator;
    let mail = Mails::load().render(&notice, "en", URL);
    assert!(mail.text.contains("By whom: The operator of this installation\nFrom: the command line"), "{}", mail.text);
    assert!(!mail.text.contains("Program"));
}

#[test]
fn attack_128_texts_of_strangers_are_inert_in_mails() {
    let name = "\"><script>alert(1)</script>\r\nBcc: all@evil.example\u{202e}{ $name }@x.example";
    let mut notice = notice(NoticeKind::PasswordChanged, name);
    notice.facts.alias = "<img src=https://evil.example/x.png>".to_owned();
    notice.facts.by = Doer::Administrator("a\nFrom: root".to_owned());
    notice.facts.address = "192.0.2.7\nX: y<b>".to_owned();
    notice.facts.user_agent = "Click https://evil.example Firefox/1 <b>".to_owned();
    for language in ["en", "zh-CN"] {
        let mail = Mails::load().render(&notice, language, URL);
        assert!(!mail.subject.contains(char::is_control) && !mail.subject.contains('\u{202e}'), "{}", mail.subject);
        assert!(
            !mail.html.contains("<script") && !mail.html.contains("<img") && !mail.html.contains("192.0.2.7X: y<b>")
        );
        assert!(
            !mail
                .text
                .lines()
                .any(|line| line.starts_with("Bcc") || line.starts_with("X:") || line.starts_with("From: root"))
        );
        assert!(!mail.text.contains("Click") && !mail.html.contains("Click"), "a program does not speak for itself");
    }
}

#[test]
fn a_mail_fetches_nothing() {
    for kind in NoticeKind::ALL {
        let html = Mails::load().render(&notice(*kind, "alice@acme"), "en", URL).html;
        for part in ["<img", "<link", "<script", "url(", "@import", "src=", "background=\"http"] {
            assert!(!html.contains(part), "{part}");
        }
        let links = html.matches("href=").count();
        assert_eq!(links, 1, "the one link says: this was not me");
    }
}
