// Security keys and passkeys: what only a browser's script can do. It asks the browser, puts the answer into the form, and
// sends the form. The server judges; every page says without this file what is needed, and all other ways still work.
//
//   <form data-webauthn="create|get">   its field `response` takes the answer
//     data-options='{…}' | data-begin="/address"   what the browser is asked: here, or to be had by a POST; a challenge serves once
//     data-renew="id"                     form that is sent for another challenge once this one has run out
//     data-unsupported, data-insecure, data-refused, data-late, data-known, data-unfit, data-elsewhere, data-failed, data-waiting
//                                         what is said: no such browser; no safe address; cancelled or nothing that fits; too
//                                         late; bound already; not able to; another address; anything else; asking just now
//     [data-webauthn-start]               button that asks
//     [data-webauthn-says]                where it is said
//     [data-webauthn-obtained], [data-webauthn-confirm]   shown, and enabled, once a credential was made
//     data-autofill                       get: the list of the name field offers passkeys as well
//   data-webauthn-gone="id" data-rp="id"  credential that the browser may forget
//   data-webauthn-unknown data-rp="id"    the credential that was shown last is unknown

const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const LAST_SHOWN = "countersign-credential";
/** What is left to the person at least before a challenge runs out. */
const MARGIN_MS = 20_000;
/** What is no failure: it asks just now, or never could. */
const CALM = ["waiting", "unsupported", "insecure"];
const isSupported = Boolean(window.isSecureContext && window.PublicKeyCredential && navigator.credentials?.get);

const fromBase64url = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toBase64url = (buffer) => {
  const binary = [...new Uint8Array(buffer)].map((byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};
const described = (list) => (list ?? []).map((one) => ({ ...one, id: fromBase64url(one.id) }));

/** The options for `create`, by the browser or, where it cannot, by hand. */
function creationOptions(json) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  return {
    ...json,
    challenge: fromBase64url(json.challenge),
    user: { ...json.user, id: fromBase64url(json.user.id) },
    excludeCredentials: described(json.excludeCredentials),
  };
}

/** The options for `get`, likewise. */
function requestOptions(json) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return { ...json, challenge: fromBase64url(json.challenge), allowCredentials: described(json.allowCredentials) };
}

/** What `toJSON` gives, by hand where the browser has none, or a password manager put another credential in its place. */
function answerOf(credential) {
  try {
    return JSON.stringify(credential.toJSON());
  } catch {
    const { response } = credential;
    const parts = { clientDataJSON: toBase64url(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) parts[name] = toBase64url(response[name]);
    }
    if (response.attestationObject) parts.transports = response.getTransports?.() ?? [];
    const id = toBase64url(credential.rawId);
    return JSON.stringify({
      id, rawId: id, type: credential.type, response: parts,
      authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
      clientExtensionResults: credential.getClientExtensionResults?.() ?? {},
    });
  }
}

/** The word for what went wrong; none where the page itself called it off. */
function complaint(error, began, options) {
  switch (error?.name) {
    case "AbortError": return null;
    case "NotAllowedError": return performance.now() - began >= (options?.timeout ?? Infinity) - 500 ? "late" : "refused";
    case "TimeoutError": return "late";
    case "InvalidStateError": return "known";
    case "ConstraintError":
    case "NotSupportedError": return "unfit";
    case "SecurityError": return "elsewhere";
    default: return "failed";
  }
}

/** One form and its prompts. */
class Ceremony {
  #form;
  #options = null;
  #fetchedAt = -Infinity;
  #pending = null;

  constructor(form) {
    this.#form = form;
    if (form.dataset.options) {
      this.#options = JSON.parse(form.dataset.options);
      this.#fetchedAt = performance.now();
    }
    const usable = isSupported;
    for (const button of $$("[data-webauthn-start]", form)) {
      button.disabled = !usable;
      button.addEventListener("click", () => this.start());
    }
    if (!usable) this.say(window.isSecureContext ? "unsupported" : "insecure");
    else if ("autofill" in form.dataset) this.#autofill();
    // Back from the next page: what the form holds was used.
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      form.elements.response.value = "";
      this.#options = null;
    });
  }

  say(word) {
    const place = this.#form.querySelector("[data-webauthn-says]");
    place.textContent = word ? this.#form.dataset[word] : "";
    place.hidden = !word;
    place.classList.toggle("field-error", Boolean(word) && !CALM.includes(word));
  }

  /** Whether the challenge at hand is still good for a prompt. */
  #isFresh() {
    return this.#options !== null && performance.now() - this.#fetchedAt < (this.#options.timeout ?? 300_000) - MARGIN_MS;
  }

  /** A challenge that can be answered; none when the page is left for another one. */
  async #ask() {
    if (this.#isFresh()) return this.#options;
    const { begin, renew } = this.#form.dataset;
    if (begin) {
      const answer = await fetch(begin, { method: "POST", headers: { accept: "application/json" } });
      if (answer.redirected || answer.status === 401) { // The logon is over: its page says so.
        location.reload();
        return null;
      }
      if (!answer.ok) throw new Error(`asked for a challenge, answered ${answer.status}`);
      this.#options = await answer.json();
      this.#fetchedAt = performance.now();
      return this.#options;
    }
    if (renew) {
      document.getElementById(renew).requestSubmit();
      return null;
    }
    this.say("late");
    return null;
  }

  /** The browser's own dialog, after a click. */
  async start() {
    this.#pending?.abort();
    const pending = this.#pending = new AbortController();
    const began = performance.now();
    this.say("waiting");
    try {
      const options = await this.#ask();
      if (options) await this.#prompt(options, { signal: pending.signal });
    } catch (error) {
      if (pending !== this.#pending) return; // Another prompt has taken over.
      this.say(complaint(error, began, this.#options));
      this.#pending = null;
      if ("autofill" in this.#form.dataset) this.#autofill();
    }
  }

  /** The list of the name field offers passkeys, until one is chosen or the button takes over. */
  async #autofill() {
    if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
    const field = document.querySelector('input[autocomplete~="webauthn"]');
    const offer = async () => {
      if (document.visibilityState !== "visible" || (this.#pending && this.#isFresh())) return;
      this.#pending?.abort();
      const pending = this.#pending = new AbortController();
      try {
        const options = await this.#ask();
        if (options) await this.#prompt(options, { mediation: "conditional", signal: pending.signal });
      } catch (error) {
        // Nobody has asked for anything, so nothing is said.
        if (pending === this.#pending && error?.name !== "AbortError") this.#pending = null;
      }
    };
    if (!this.offered) {
      this.offered = true;
      // A challenge lives five minutes; whoever comes back later gets a new one.
      document.addEventListener("visibilitychange", offer);
      field?.addEventListener("focus", offer);
    }
    await offer();
  }

  async #prompt(json, more) {
    const creates = this.#form.dataset.webauthn === "create";
    const credential = creates
      ? await navigator.credentials.create({ publicKey: creationOptions(json), ...more })
      : await navigator.credentials.get({ publicKey: requestOptions(json), ...more });
    this.#form.elements.response.value = answerOf(credential);
    this.#options = null;
    this.say(null);
    if (creates) {
      this.#obtained();
      return;
    }
    try {
      sessionStorage.setItem(LAST_SHOWN, credential.id);
    } catch {
      // A browser that keeps nothing is not told that the credential is unknown.
    }
    this.#form.requestSubmit();
  }

  /** The credential waits in the form until its owner confirms. */
  #obtained() {
    for (const part of $$("[data-webauthn-obtained]", this.#form)) part.hidden = false;
    for (const part of $$("[data-webauthn-asking]", this.#form)) part.hidden = true;
    for (const button of $$("[data-webauthn-confirm]", this.#form)) button.disabled = false;
    $$("[data-webauthn-obtained]", this.#form)[0]?.focus();
  }
}

for (const form of $$("form[data-webauthn]")) new Ceremony(form);

/** Lets the browser's list forget a credential, where it can. */
const forget = (credentialId, rpId) => {
  if (credentialId && isSupported) PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId })?.catch(() => {});
};
for (const el of $$("[data-webauthn-gone]")) forget(el.dataset.webauthnGone, el.dataset.rp);
for (const el of $$("[data-webauthn-unknown]")) {
  try {
    forget(sessionStorage.getItem(LAST_SHOWN), el.dataset.rp);
  } catch {
    // See above.
  }
}
