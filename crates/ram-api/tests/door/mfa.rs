//! Virtual MFA devices through the door, and the pages beside it.

use countersign_core::Refusal;
use countersign_core::logon::LogonStep;
use countersign_model::logon::LogonState;
use countersign_testkit::api::Client;
use countersign_testkit::{Kit, Phone, both_engines, origin, refusal};
use http::StatusCode;

/// A device that was made through the door, and the phone that scanned it.
async fn device(kit: &Kit, client: &Client, name: &str) -> (String, Phone) {
    let made = client.ram(kit, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", name)]).await.ok();
    (made.text("/VirtualMFADevice/SerialNumber"), Phone::with_key(&made.text("/VirtualMFADevice/Base32StringSeed")))
}

/// Two codes of consecutive steps, the second of the present one.
fn codes(kit: &Kit, phone: &Phone) -> [String; 2] {
    [phone.code_at(kit, -1), phone.code(kit)]
}

async fn bind(kit: &Kit, client: &Client, user: &str, serial: &str, [first, second]: &[String; 2]) -> String {
    let parameters =
        [("UserName", user), ("SerialNumber", serial), ("AuthenticationCode1", first), ("AuthenticationCode2", second)];
    let answer = client.ram(kit, "BindMFADevice", &parameters).await;
    if answer.status == StatusCode::OK { "OK".to_owned() } else { answer.code().to_owned() }
}

both_engines! {
    async fn v12_x1_a_device_is_made_bound_by_two_codes_used_at_the_console_unbound_and_removed(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (serial, phone) = device(&kit, &client, "device001").await;
        assert_eq!(serial, format!("acs:ram::{}:mfa/device001", acme.id));
        assert_eq!(bind(&kit, &client, "alice", &serial, &codes(&kit, &phone)).await, "OK");

        // Seen at once by the pages: the logon asks for the device, and its codes are spent.
        let waiting = kit.waiting(&alice, LogonState::SecondFactor).await;
        let spent = kit.core().logon_with_code(&waiting, phone.code(&kit), origin()).await;
        assert_eq!(refusal(spent), Refusal::WrongCode);
        kit.next_step();
        let step = kit.core().logon_with_code(&waiting, phone.code(&kit), origin()).await.unwrap();
        assert!(matches!(step, LogonStep::Open { .. }));

        let info = client.ram(&kit, "GetUserMFAInfo", &[("UserName", "alice")]).await.ok();
        assert_eq!((info.text("/MFADevice/SerialNumber"), info.text("/MFADevice/Type")), (serial.clone(), "VMFA".to_owned()));
        let listed = client.ram(&kit, "ListVirtualMFADevices", &[]).await.ok();
        let line = &listed.json["VirtualMFADevices"]["VirtualMFADevice"][0];
        assert_eq!((&line["SerialNumber"], &line["User"]["UserName"]), (&serial.clone().into(), &"alice".into()));
        assert!(line["ActivateDate"].is_string());

        let deleted = client.ram(&kit, "DeleteVirtualMFADevice", &[("SerialNumber", &serial)]).await;
        assert_eq!(deleted.code(), "DeleteConflict.VirtualMFADevice.User");
        let unbound = client.ram(&kit, "UnbindMFADevice", &[("UserName", "alice")]).await.ok();
        assert_eq!(unbound.text("/MFADevice/SerialNumber"), serial);
        let listed = client.ims(&kit, "ListVirtualMFADevices", &[]).await.ok();
        let line = &listed.json["VirtualMFADevices"]["VirtualMFADevice"][0];
        assert_eq!((line["User"].as_object().unwrap().len(), line.get("ActivateDate")), (0, None));
        client.ram(&kit, "DeleteVirtualMFADevice", &[("SerialNumber", &serial)]).await.ok();
        let listed = client.ram(&kit, "ListVirtualMFADevices", &[]).await.ok();
        assert_eq!(listed.json["VirtualMFADevices"]["VirtualMFADevice"].as_array().unwrap().len(), 0);
    }

    async fn a_device_bound_by_the_pages_is_seen_and_unbound_here(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let (alice, _) = kit.bound_user(&acme, "alice").await;
        let who = [("UserPrincipalName", "alice@acme.countersign.local")];
        let info = client.ims(&kit, "GetUserMFAInfo", &who).await.ok();
        assert_eq!((info.json["IsMFAEnable"].clone(), info.text("/MFADevice/Type")), (true.into(), "VMFA".to_owned()));
        client.ims(&kit, "DisableVirtualMFA", &who).await.ok();
        assert!(matches!(kit.log_on(&alice).await.unwrap(), LogonStep::Open { .. }));
        assert_eq!(client.ims(&kit, "GetUserMFAInfo", &who).await.ok().json["IsMFAEnable"], false);
        let none = client.ram(&kit, "GetUserMFAInfo", &[("UserName", "alice")]).await;
        assert_eq!((none.status, none.code()), (StatusCode::NOT_FOUND, "EntityNotExist.User.MFADevice"));
    }

    async fn attack_004_codes_stay_spent_while_a_device_is_bound_to_nobody(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        kit.ram_user(&acme, "bob").await;
        let (serial, phone) = device(&kit, &client, "shared").await;
        let used = codes(&kit, &phone);
        assert_eq!(bind(&kit, &client, "alice", &serial, &used).await, "OK");
        client.ram(&kit, "UnbindMFADevice", &[("UserName", "alice")]).await.ok();
        assert_eq!(bind(&kit, &client, "bob", &serial, &used).await, "CheckAuthenticationCodeFail");
        kit.next_step();
        kit.next_step();
        assert_eq!(bind(&kit, &client, "bob", &serial, &codes(&kit, &phone)).await, "OK");
    }

    async fn every_refusal_of_a_binding_has_the_clouds_code(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        let client = kit.owner_client(&acme).await;
        for name in ["alice", "bob"] {
            kit.ram_user(&acme, name).await;
        }
        let (serial, phone) = device(&kit, &client, "one").await;
        let (second, _) = device(&kit, &client, "two").await;
        let right = codes(&kit, &phone);
        let absent = serial.replace("mfa/one", "mfa/none");
        let foreign = serial.replace(acme.id.as_str(), other.id.as_str());
        let swapped = [right[1].clone(), right[0].clone()];
        assert_eq!(bind(&kit, &client, "nobody", &serial, &right).await, "EntityNotExist.User");
        assert_eq!(bind(&kit, &client, "alice", &absent, &right).await, "EntityNotExist.VirtualMFADevice");
        assert_eq!(bind(&kit, &client, "alice", &foreign, &right).await, "EntityNotExist.VirtualMFADevice");
        assert_eq!(bind(&kit, &client, "alice", &serial, &["12345".into(), "123456".into()]).await, "InvalidParameter.AuthenticationCode.Format");
        assert_eq!(bind(&kit, &client, "alice", &serial, &swapped).await, "CheckAuthenticationCodeFail");
        assert_eq!(bind(&kit, &client, "alice", &serial, &[right[0].clone(), right[0].clone()]).await, "CheckAuthenticationCodeFail");
        assert_eq!(bind(&kit, &client, "alice", &serial, &right).await, "OK");
        assert_eq!(bind(&kit, &client, "alice", &second, &right).await, "EntityAlreadyExists.User.MFADevice");
        assert_eq!(bind(&kit, &client, "bob", &serial, &right).await, "EntityAlreadyExists.VirtualMFADevice.User");
        let create = async |name: &str| client.ram(&kit, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", name)]).await.code().to_owned();
        assert_eq!(create("one").await, "EntityAlreadyExists.VirtualMFADevice", "it is bound, and exists");
        assert_eq!(create("two").await, "EntityAlreadyExists.VirtualMFADevice");
        assert_eq!(create("a b").await, "InvalidParameter.VirtualMFADeviceName.InvalidChars");
        assert_eq!(create(&"x".repeat(65)).await, "InvalidParameter.VirtualMFADeviceName.Length");
        let unbind = client.ram(&kit, "UnbindMFADevice", &[("UserName", "bob")]).await;
        assert_eq!((unbind.status, unbind.code()), (StatusCode::NOT_FOUND, "EntityNotExist.User.MFADevice"));
        let delete = client.ram(&kit, "DeleteVirtualMFADevice", &[("SerialNumber", &absent)]).await;
        assert_eq!(delete.code(), "EntityNotExist.VirtualMFADevice");
    }

    async fn attack_026_wrong_codes_through_the_door_stop_at_the_budget(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        let (serial, phone) = device(&kit, &client, "one").await;
        let wrong = [phone.wrong_code(&kit), phone.wrong_code(&kit)];
        for _ in 0..5 {
            assert_eq!(bind(&kit, &client, "alice", &serial, &wrong).await, "CheckAuthenticationCodeFail");
        }
        let right = codes(&kit, &phone);
        assert_eq!(bind(&kit, &client, "alice", &serial, &right).await, "CheckAuthenticationCodeFail", "a pause runs");
    }

    async fn attack_068_one_device_bound_to_sixteen_users_at_once_has_one(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        for number in 0..8 {
            kit.ram_user_with(&acme, &format!("u{number}"), None).await;
        }
        let (serial, phone) = device(&kit, &client, "one").await;
        let right = codes(&kit, &phone);
        let calls: Vec<_> = (0..8).map(|number| {
            let user = format!("u{number}");
            let parameters = [
                ("UserName", user.as_str()), ("SerialNumber", &serial),
                ("AuthenticationCode1", &right[0]), ("AuthenticationCode2", &right[1]),
            ];
            let call = client.signed(&kit, countersign_ram_api::api::Api::Ram, "BindMFADevice", &parameters);
            let client = client.clone();
            tokio::spawn(async move { client.send(&call).await.status })
        }).collect();
        let mut bound = 0;
        for call in calls {
            bound += usize::from(call.await.unwrap() == StatusCode::OK);
        }
        assert_eq!(bound, 1);
        assert_eq!(kit.int("SELECT COUNT(*) FROM virtual_mfa WHERE state = 'bound'", &[]).await, 1);
    }

    async fn attack_135_a_seed_is_told_once_and_lies_sealed(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let made = client.ims(&kit, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "one")]).await.ok();
        let seed = made.text("/VirtualMFADevice/Base32StringSeed");
        let png = data_encoding::BASE64.decode(made.text("/VirtualMFADevice/QRCodePNG").as_bytes()).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        assert!(!kit.dump().await.holds(seed.as_bytes()));
        let raw = data_encoding::BASE32.decode(seed.as_bytes()).unwrap();
        assert!(!kit.dump().await.holds(&raw));
        assert!(!client.ims(&kit, "ListVirtualMFADevices", &[]).await.ok().body.contains(&seed));
    }
}
