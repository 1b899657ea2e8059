/** A text as a key or value of YAML: plain where that is safe, else as JSON writes it. `true`, `no` and `12` would be no texts without quotes. */
export function yamlKey(text: string): string {
  return /^[a-z_][\w.-]*$/i.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text)
    ? text
    : JSON.stringify(text)
}
