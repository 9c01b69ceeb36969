/** The stable name of a {@link Finding} or a {@link Cause}. */
export type FindingCode =
  // The platform.
  | "wasm_csp" | "wasm_missing" | "module_missing" | "runtime_unsupported" | "csp_connect_src" | "csp_upgrade" | "hsts" | "mixed_content" | "offline" | "local_network"
  // The way to the server.
  | "no_reply" | "connection_refused" | "connection_forbidden" | "unknown_host" | "connect_timeout" | "connection_reset" | "certificate_untrusted" | "certificate_refused"
  | "certificate_expired" | "certificate_not_yet_valid" | "certificate_name" | "client_certificate" | "tls_version" | "tls_refused"
  | "not_tls" | "needs_https" | "not_http" | "http_refused" | "http_version" | "proxy_unused" | "proxy_refused" | "blocked_reply" | "timeout"
  // What the server lets a page read.
  | "cors_blocked" | "preflight_refused" | "cors_missing" | "cors_origin" | "cors_duplicate" | "cors_headers" | "cors_preflight"
  | "cors_credentials" | "cors_error_replies" | "custom_fetch"
  // What answered.
  | "unsteady" | "moved" | "trailing_slash" | "sign_in_redirect" | "sign_in_gate" | "redirected" | "html_reply" | "login_page" | "base_url" | "content_type" | "service_worker" | "empty_reply" | "truncated" | "content_encoding" | "unexpected_response" | "decode_error"
  | "company_mismatch" | "rate_limited" | "server_error" | "api_error"
  // Who asks.
  | "credentials_missing" | "credentials_refused" | "token_expired" | "token_not_yet_valid" | "clock_skew" | "token_refused" | "key_refused"
  | "permission_denied" | "token_provider_error" | "not_passed_on"
  // What the caller gave.
  | "config_error" | "fetch_error" | "control_flow" | "stand_in" | "insecure_http" | "internal_error"
  // Notes.
  | "insecure_tls" | "reply_form" | "certificate_ends_soon" | "hidden_headers";

/** A possible cause of a {@link Finding}. */
export interface Cause {
  /** A stable name. */
  code: FindingCode;
  /** A sentence. */
  message: string;
  /** A fix to paste. */
  fix?: string;
  /** The fix for other servers, by their names. */
  elsewhere?: Record<string, string>;
}

/** A result of the probes. */
export interface Finding extends Cause {
  /** `"error"`: it makes calls fail. `"note"`: it does not. */
  level: "error" | "note";
  /** The possible causes, likeliest first, where what was seen does not tell which one it is. */
  candidates?: Cause[];
  /** A command to run in a terminal: it tells the candidates apart, or shows more. */
  doctor?: string;
}

/** One thing that was tried. */
export interface DiagnosisStep {
  /** What was tried, such as `reachability` or `header x-api-key`. */
  name: string;
  outcome: "ok" | "failed" | "skipped";
  /** The result in a few words. */
  detail: string;
  /** How long it took, in milliseconds. */
  ms: number;
}

/** The result. It can be printed with `String(diagnosis)` and sent as JSON, and contains no token or key. */
export interface Diagnosis {
  /** Whether nothing prevents calls. */
  ok: boolean;
  /** What prevents calls, then what is worth knowing. */
  findings: Finding[];
  steps: DiagnosisStep[];
  toString(): string;
}

/** The options of `diagnose`. */
export interface DiagnoseOptions {
  /** Ends it early: `diagnose` rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called after each step. Errors that it throws are ignored. */
  onStep?: ((step: DiagnosisStep) => void) | undefined;
}
