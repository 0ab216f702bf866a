// Every page, and the states in which the walk looks at it. The addresses are those of `crates/console/src/routes.rs`.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const ROUTES = new URL("../../../crates/console/src/routes.rs", import.meta.url);

/** The names of the pictures by the address of the page. */
export const PAGES = {
  "/setup": ["set-up", "set-up-refused", "set-up-over"],
  "/": ["logon-ram-user", "logon-owner", "logon-after-set-up", "logged-off", "session-over", "logon-over"],
  "/login/{domain}": ["logon-of-account"],
  "/logon": ["logon-name-refused", "error-no-page"],
  "/logon/password": ["logon-password", "logon-password-refused"],
  "/logon/second-factor": ["second-factor", "second-factor-refused"],
  "/logon/recovery-code": ["logon-recovery-code"],
  "/logon/choose-password": ["choose-password", "choose-password-refused"],
  "/logon/bind": ["enable-mfa-device"],
  "/logon/bind/virtual-mfa": ["logon-bind", "logon-bind-refused", "logon-bind-manual"],
  "/not-me": ["not-me", "not-me-done", "not-me-over"],
  "/account/welcome": ["welcome"],
  "/account/security": ["account-security-not-attached", "account-security-bound", "account-security-unbound"],
  "/account/security/password": ["account-password"],
  "/account/security/bind": ["account-bind-type"],
  "/account/security/virtual-mfa/verify": ["verify-identity", "verify-identity-refused"],
  "/account/security/virtual-mfa/bind": ["bind-scan", "bind-refused"],
  "/account/security/virtual-mfa/unbind": ["account-unbind"],
  "/account/security/recovery-codes": ["account-recovery-codes-offered"],
  "/account/security/access-keys": ["account-access-keys"],
  "/me/security/access-keys": ["my-access-keys"],
  "/account/history": ["account-history"],
  "/me/history": ["my-history"],
  "/ram/audit": ["ram-audit"],
  "/account/sessions": ["account-sessions"],
  "/account/sessions/log-off-everywhere": ["account-log-off-everywhere"],
  "/me/sessions": ["my-sessions"],
  "/me/sessions/log-off-everywhere": ["my-log-off-everywhere"],
  "/me/security/recovery-codes": ["my-recovery-codes-offered"],
  "/me/security": [
    "my-security-bound", "my-security-not-attached", "my-security-password", "my-security-replaced", "my-security-managed",
    "profile-menu",
  ],
  "/account/notices": ["account-notices", "account-notices-answered"],
  "/me/notices": ["my-notices"],
  "/me/security/password": ["password", "password-refused"],
  "/me/security/virtual-mfa/verify": ["my-verify-identity", "error-forbidden"],
  "/me/security/virtual-mfa/bind": ["replace", "bind-two-codes", "bind-two-codes-refused"],
  "/me/security/virtual-mfa/unbind": ["unbind", "unbind-wrong-code", "unbind-refused"],
  "/ram": [], // leads on to the first page that one may see
  "/ram/overview": ["ram-overview-empty", "ram-overview", "ram-overview-finding"],
  "/ram/mfa-check": ["ram-mfa-check"],
  "/ram/findings": ["ram-findings", "ram-findings-none", "ram-findings-settled"],
  "/ram/users": ["ram-users-empty", "ram-users", "ram-users-nothing-found", "ram-users-actions"],
  "/ram/create-user": ["ram-create-user", "ram-create-user-refused", "ram-create-user-custom", "ram-user-created"],
  "/ram/users/{name}": [
    "ram-user-console-logon", "ram-user-virtual-mfa-bound", "ram-user-virtual-mfa-not-attached", "ram-user-disabled",
    "ram-user-oneself", "ram-user-sessions", "ram-user-access-keys-none", "ram-user-access-keys", "ram-user-access-keys-disabled",
    "error-not-found",
  ],
  "/ram/users/{name}/access-keys": [
    "ram-user-access-key-made", "ram-user-access-key-disable", "ram-user-access-key-delete",
  ],
  "/ram/users/{name}/sessions": ["ram-user-end-session"],
  "/ram/users/{name}/edit": [
    "ram-user-edit", "ram-user-edit-refused", "ram-user-edit-verify", "ram-user-edit-verify-refused",
  ],
  "/ram/users/{name}/delete": ["ram-user-delete"],
  "/ram/users/{name}/logon-settings": ["ram-user-logon-settings"],
  "/ram/users/{name}/reset-password": ["ram-user-reset-password", "ram-user-password-shown"],
  "/ram/users/{name}/policies": ["ram-user-policies", "ram-user-policies-administrator", "ram-user-policies-oneself", "ram-user-policies-by-group"],
  "/ram/users/{name}/virtual-mfa/bind": ["ram-user-bind", "ram-user-bind-refused"],
  "/ram/users/{name}/virtual-mfa/unbind": ["ram-user-unbind"],
  "/ram/groups": ["ram-groups-empty", "ram-groups"],
  "/ram/create-group": ["ram-create-group-refused"],
  "/ram/groups/{name}": ["ram-group-empty", "ram-group"],
  "/ram/groups/{name}/edit": ["ram-group-edit"],
  "/ram/groups/{name}/members": ["ram-group-refused", "ram-group-remove-member"],
  "/ram/groups/{name}/policies": ["ram-group-detach"],
  "/ram/groups/{name}/delete": ["ram-group-delete"],
  "/ram/policies": ["ram-policies"],
  "/ram/create-policy": ["ram-create-policy", "ram-create-policy-refused"],
  "/ram/policies/{name}": ["ram-policy", "ram-policy-system"],
  "/ram/policies/{name}/versions": ["ram-policy-new-version"],
  "/ram/policies/{name}/versions/{version}": ["ram-policy-version"],
  "/ram/policies/{name}/delete": ["ram-policy-delete", "ram-policy-delete-refused"],
  "/ram/settings": ["ram-settings", "ram-settings-forecast", "ram-settings-saved"],
  "/ram/settings/password-policy": ["ram-password-policy"],
};

/** The same for the walk with security keys and passkeys. */
export const KEY_PAGES = {
  "/": ["logon-passkey", "logon-without-webauthn"],
  "/logon/passkey": ["logon-passkey-refused"],
  "/logon/second-factor": ["second-factor-key", "second-factor-key-late", "second-factor-key-refused"],
  "/logon/bind": ["bind-types"],
  "/logon/bind/security-keys": ["logon-bind-key-limits", "logon-bind-key", "logon-bind-key-obtained"],
  "/logon/bind/passkeys": [], // the same page in other words
  "/help/keys": ["help-keys"],
  "/account/security": ["account-security-keys"],
  "/account/security/security-keys": ["account-security-keys-none"],
  "/account/security/security-keys/bind": ["account-bind-key"],
  "/account/security/passkeys": ["account-passkeys"],
  "/account/security/passkeys/bind": ["account-bind-passkey", "account-bind-passkey-obtained"],
  "/account/security/virtual-mfa/verify": ["verify-before-device"],
  "/me/security/security-keys": ["my-security-keys", "my-security-keys-two"],
  "/me/security/security-keys/bind": [], // the same page at another place
  "/me/security/passkeys": [
    "my-passkeys-none", "my-passkeys", "rename-passkey", "rename-passkey-refused", "delete-passkey", "passkey-deleted",
  ],
  "/me/security/passkeys/bind": [
    "bind-passkey-limits", "verify-by-key", "bind-passkey", "bind-passkey-obtained", "bind-passkey-known",
  ],
  "/ram/users/{name}": ["user-keys-none", "user-keys", "user-passkeys-none", "user-keys-other"],
  "/ram/users/{name}/security-keys": ["user-unbind-key"],
  "/ram/users/{name}/security-keys/bind": ["user-bind-key-limits", "user-bind-key", "user-bind-key-obtained"],
  "/ram/users/{name}/passkeys": [], // the same pages in other words
  "/ram/settings": ["settings-attestation", "settings-attestation-refused", "settings-attestation-forecast"],
  "/ram/findings": ["key-finding"],
  "/ram/audit": ["key-audit"],
};

/** Each page of the routes stands in a list, and each state in `pages` was looked at where it says. */
export async function judgeCoverage(people, pages = PAGES) {
  const source = await readFile(ROUTES, "utf8");
  const routes = [...source.matchAll(/\("(\/[^"]*)", \w+, get\(\w+::\w+\)/g)].map(([, path]) => path)
    .filter((path) => !path.startsWith("/assets/"));
  assert.ok(routes.length > 25, `the routes can be read: ${routes.length}`);
  const unlisted = routes.filter((path) => !(path in PAGES) && !(path in KEY_PAGES));
  assert.deepEqual(unlisted, [], "these pages are looked at by nobody");
  const looked = new Map(people.flatMap((person) => [...person.looked]));
  const wrong = Object.entries(pages).flatMap(([route, names]) => {
    const pattern = new RegExp(`^${route.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    return names.filter((name) => !pattern.test(looked.get(name) ?? "")).map((name) => `${name}: ${looked.get(name) ?? "not looked at"}`);
  });
  assert.deepEqual(wrong, [], "not looked at, or elsewhere");
}
