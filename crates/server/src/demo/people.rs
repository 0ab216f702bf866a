//! Who lives in the demo, and in which state.

/// A RAM user of the demo.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) display_name: &'static str,
    pub(super) comments: &'static str,
    /// How many days ago he was made.
    pub(super) joined: u8,
    /// How many days ago he last logged on, if ever.
    pub(super) seen: Option<u8>,
    pub(super) state: State,
}

/// What is to be seen at him.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// He has no login profile.
    NoConsole,
    /// A password, no device, none required.
    Plain,
    /// A device is required, and he has none yet.
    Required,
    /// A device is required and bound.
    Bound,
    /// A device is bound, though none is required.
    BoundByChoice,
    /// A device is required, and the owner took the bound one away.
    Unbound,
    /// He has to choose another password at the next logon.
    ResetDue,
    /// Too many wrong passwords.
    PasswordLocked,
    /// Too many wrong codes.
    DeviceLocked,
    /// His password does not log on.
    Disabled,
}

impl State {
    #[cfg(test)]
    pub(super) const ALL: &'static [Self] = &[
        Self::NoConsole,
        Self::Plain,
        Self::Required,
        Self::Bound,
        Self::BoundByChoice,
        Self::Unbound,
        Self::ResetDue,
        Self::PasswordLocked,
        Self::DeviceLocked,
        Self::Disabled,
    ];

    pub(super) const fn was_bound(self) -> bool {
        matches!(self, Self::Bound | Self::BoundByChoice | Self::Unbound | Self::DeviceLocked)
    }

    pub(super) const fn is_locked(self) -> bool {
        matches!(self, Self::PasswordLocked | Self::DeviceLocked)
    }

    /// Whether his login profile says from the first day that he must have a device.
    pub(super) const fn is_made_with_mfa_required(self, seen: bool) -> bool {
        matches!(self, Self::Bound | Self::Unbound | Self::DeviceLocked) || (matches!(self, Self::Required) && !seen)
    }
}

const fn person(
    name: &'static str,
    display_name: &'static str,
    comments: &'static str,
    (joined, seen): (u8, Option<u8>),
    state: State,
) -> Person {
    Person { name, display_name, comments, joined, seen, state }
}

/// Forty of them.
pub(super) const PEOPLE: &[Person] = &{
    use State::{
        Bound, BoundByChoice, DeviceLocked, Disabled, NoConsole, PasswordLocked, Plain, Required, ResetDue, Unbound,
    };
    [
        person("alice", "Alice Martin", "Finance", (45, Some(1)), Plain),
        person("anouk.deboer", "Anouk de Boer", "Finance", (45, Some(7)), Plain),
        person("bruno.silva", "Bruno Silva", "Purchasing", (3, None), Required),
        person("chen.wei", "陈伟", "平台组", (45, Some(1)), Bound),
        person("wang.fang", "王芳", "平台组", (45, Some(2)), Bound),
        person("li.na", "李娜", "财务部", (45, Some(1)), BoundByChoice),
        person("zhang.min", "張敏", "香港辦事處", (20, Some(3)), Bound),
        person("yamada.taro", "山田太郎", "東京", (45, Some(12)), Bound),
        person("sato.hanako", "佐藤花子", "東京", (20, None), Required),
        person("kim.minjun", "김민준", "서울", (45, Some(2)), Bound),
        person("nguyen.an", "Nguyễn Thị An", "Hà Nội", (20, Some(7)), Required),
        person("priya", "प्रिया शर्मा", "Support", (45, Some(1)), Bound),
        person("arjun", "அர்ஜுன் குமார்", "Support", (20, Some(12)), Plain),
        person("mohammed", "محمد العلي", "دبي", (45, Some(3)), Bound),
        person("dana", "דנה כהן", "Design", (45, Some(19)), PasswordLocked),
        person("olena", "Олена Шевченко", "Київ", (45, Some(1)), Bound),
        person("ivan.petrov", "Иван Петров", "Operations", (45, Some(30)), Disabled),
        person("eleni", "Ελένη Παπαδοπούλου", "Αθήνα", (20, Some(2)), DeviceLocked),
        person("giorgi", "გიორგი ბერიძე", "Operations", (20, None), NoConsole),
        person("hrach", "Հրաչ Սարգսյան", "Operations", (3, None), Required),
        person("somchai", "สมชาย ใจดี", "กรุงเทพ", (45, Some(7)), Unbound),
        person("zoe", "Zoë Müller-Lüdenscheidt", "Legal", (45, Some(2)), BoundByChoice),
        person("francois", "François Lefèvre", "Legal", (45, Some(44)), ResetDue),
        person("jose.nunez", "José Núñez", "Sales", (20, Some(1)), Plain),
        person("agnieszka", "Agnieszka Żółć", "Sales", (20, None), ResetDue),
        person("soren", "Søren Ærø", "Sales", (45, Some(20)), Plain),
        person("ayse", "Ayşe Yılmaz", "Sales", (3, Some(1)), Required),
        person("tiina", "Tiina Mäkelä", "Marketing", (45, Some(12)), Bound),
        person("kwame", "Kwame Mensah", "Marketing", (20, None), Required),
        person("thandiwe", "Thandiwe Nkosi", "Marketing", (45, None), Plain),
        person("o-brien", "Siobhán O'Brien", "<Research & Development>", (45, Some(2)), Bound),
        person("x.ae-12", "X Æ A-12", "A name that some forms refuse", (20, None), NoConsole),
        person("ci-runner", "CI runner", "A program, no person", (45, None), NoConsole),
        person("backup-job", "Backup job", "A program, no person", (45, None), NoConsole),
        person("metrics", "", "A program, no person", (20, None), NoConsole),
        person("auditor", "External auditor", "Until the end of the year", (20, Some(7)), Bound),
        person("intern-1", "Intern", "", (3, None), ResetDue),
        person("intern-2", "Intern", "", (3, Some(2)), Required),
        person("former-colleague", "Former colleague", "Left the company", (45, Some(30)), Disabled),
        person("ram-admin", "RAM administrator", "AliyunRAMFullAccess", (45, Some(1)), Bound),
    ]
};
