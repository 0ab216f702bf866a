// Security keys and passkeys for the browser of a visitor: Chromium's own virtual authenticators.

const TOUCH_MS = 1500;

/** An authenticator that is plugged in or built in. It answers only while somebody touches it. */
export class Key {
  static #sessions = new WeakMap();

  /** A U2F key for USB: a touch, a counter, an attestation. */
  static u2f(visitor) {
    return Key.#add(visitor, { protocol: "u2f", transport: "usb" });
  }

  /** What is built into a device: found without a list, verifies its user. `synced` copies its passkeys to others. */
  static device(visitor, { synced = false } = {}) {
    return Key.#add(visitor, {
      protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, defaultBackupEligibility: synced, defaultBackupState: synced,
    });
  }

  /** A FIDO2 key for USB without a PIN: it verifies nobody. */
  static bare(visitor) {
    return Key.#add(visitor, {
      protocol: "ctap2", transport: "usb", hasResidentKey: true, hasUserVerification: false, isUserVerified: false,
    });
  }

  static async #add(visitor, options) {
    let session = Key.#sessions.get(visitor);
    if (!session) {
      session = await visitor.context.newCDPSession(visitor.page);
      await session.send("WebAuthn.enable", { enableUI: false });
      Key.#sessions.set(visitor, session);
    }
    const all = { automaticPresenceSimulation: false, ...options };
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", { options: all });
    return Object.assign(new Key(), { session, authenticatorId, visitor });
  }

  /** Somebody touches it while `act` goes on. */
  async touched(act) {
    await this.#tell("setAutomaticPresenceSimulation", { enabled: true });
    try {
      return await act();
    } finally {
      await this.#tell("setAutomaticPresenceSimulation", { enabled: false });
    }
  }

  /** It answers wrongly while `act` goes on: `isBogusSignature`, `isBadUV` or `isBadUP`. */
  async lying(lie, act) {
    const none = { isBogusSignature: false, isBadUV: false, isBadUP: false };
    await this.#tell("setResponseOverrideBits", { ...none, [lie]: true });
    try {
      return await this.touched(act);
    } finally {
      await this.#tell("setResponseOverrideBits", none);
    }
  }

  /** Whether its user is verified when it asks for that. */
  async verifies(isUserVerified) {
    await this.#tell("setUserVerified", { isUserVerified });
  }

  async credentials() {
    return (await this.#tell("getCredentials", {})).credentials;
  }

  /** Throws a credential away and puts a copy of it in its place, with some properties changed. */
  async copy(changes) {
    const [credential] = await this.credentials();
    await this.#tell("removeCredential", { credentialId: credential.credentialId });
    await this.#tell("addCredential", { credential: { rpId: "localhost", ...credential, ...changes } });
  }

  /** Says that a credential may be copied to other devices, or that it may not. */
  async mark(properties) {
    const [{ credentialId }] = await this.credentials();
    await this.#tell("setCredentialProperties", { credentialId, ...properties });
  }

  async unplug() {
    await this.#tell("removeVirtualAuthenticator", {});
  }

  #tell(command, parameters) {
    return this.session.send(`WebAuthn.${command}`, { authenticatorId: this.authenticatorId, ...parameters });
  }
}

/** Whether the visitor's browser offers passkeys in the list of a field. A virtual authenticator that is touched is chosen
 * from that list at once, so what is pressed by hand is tried in a browser without the list. */
export async function autofills(visitor, does) {
  if (!visitor.mayAutofill) {
    visitor.mayAutofill = true;
    await visitor.context.addInitScript(() => {
      if (document.cookie.includes("no-autofill")) PublicKeyCredential.isConditionalMediationAvailable = async () => false;
    });
  }
  if (does) await visitor.context.clearCookies({ name: "no-autofill" });
  else await visitor.context.addCookies([{ name: "no-autofill", value: "1", url: visitor.url }]);
}

/** While `act` goes on, prompts end after a short while, as when nobody touches anything for minutes. */
export async function impatiently(visitor, act) {
  const shorten = (text) => text.replace(/"timeout":\d+/, `"timeout":${TOUCH_MS}`);
  const handle = async (route) => {
    try {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: shorten(await answer.text()) });
    } catch {
      // The page that asked is gone.
    }
  };
  const matching = /\/begin$/;
  await visitor.page.route(matching, handle);
  try {
    return await act();
  } finally {
    await visitor.page.unroute(matching, handle);
  }
}
