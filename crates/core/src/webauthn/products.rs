//! Names of products by their AAGUID: what makers publish about a few that are met often. An authenticator that was not
//! attested may claim any of them, so a name is for reading, not for trust.

use countersign_model::webauthn::Aaguid;

/// As the makers publish them.
const PRODUCTS: &[(&str, &str)] = &[
    ("08987058-cadc-4b81-b6e1-30de50dcbe96", "Windows Hello"),
    ("9ddd1817-af5a-4672-a2b9-3e3dd95000a9", "Windows Hello"),
    ("6028b017-b1d4-4c02-b4b3-afcdafc96bb2", "Windows Hello"),
    ("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "Google Password Manager"),
    ("adce0002-35bc-c60a-648b-0b25f1f05503", "Chrome on Mac"),
    ("b5397666-4885-aa6b-cebf-e52262a439a2", "Chromium Browser"),
    ("fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "iCloud Keychain"),
    ("dd4ec289-e01d-41c9-bb89-70fa845d4bf2", "iCloud Keychain (Managed)"),
    ("53414d53-554e-4700-0000-000000000000", "Samsung Pass"),
    ("bada5566-a7aa-401f-bd96-45619a55120d", "1Password"),
    ("d548826e-79b4-db40-a3d8-11116f7e8349", "Bitwarden"),
    ("531126d6-e717-415c-9320-3d9aa6981239", "Dashlane"),
    ("fdb141b2-5d84-443e-8a35-4698c205a502", "KeePassXC"),
    ("50726f74-6f6e-5061-7373-50726f746f6e", "Proton Pass"),
    ("cb69481e-8ff7-4039-93ec-0a2729a154a8", "YubiKey 5 Series"),
    ("ee882879-721c-4913-9775-3dfcce97072a", "YubiKey 5 Series"),
    ("2fc0579f-8113-47ea-b116-bb5a8db9202a", "YubiKey 5 Series with NFC"),
    ("fa2b99dc-9e39-4257-8f92-4a30d23c4118", "YubiKey 5 Series with NFC"),
    ("c5ef55ff-ad9a-4b9f-b580-adebafe026d0", "YubiKey 5 Series with Lightning"),
    ("f8a011f3-8c0a-4d15-8006-17111f9edc7d", "Security Key by Yubico"),
    ("6d44ba9b-f6ec-2e49-b930-0c8fe920cb73", "Security Key by Yubico with NFC"),
    ("149a2021-8ef6-4133-96b8-81f8d5b7f1f5", "Security Key by Yubico with NFC"),
];

/// The name of a product, if it is known here.
#[must_use]
pub fn product_name(aaguid: &Aaguid) -> Option<&'static str> {
    products().find(|(known, _)| known == aaguid).map(|(_, name)| name)
}

/// All products known here, for lists to choose from.
pub fn products() -> impl Iterator<Item = (Aaguid, &'static str)> {
    PRODUCTS.iter().filter_map(|(aaguid, name)| aaguid.parse().ok().map(|aaguid| (aaguid, *name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_product_has_an_aaguid_of_its_own() {
        let aaguids: HashSet<_> = products().map(|(aaguid, _)| aaguid).collect();
        assert_eq!(aaguids.len(), PRODUCTS.len());
        assert_eq!(product_name(&Aaguid::default()), None);
    }
}
