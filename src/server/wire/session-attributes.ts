/** postgres.js reads this variable by itself and cannot be told not to; whoever makes the connection does what it asks for. */
export function withoutTargetSessionAttributes<Value>(work: () => Value): Value {
  const name = 'PGTARGETSESSIONATTRS'
  const kept = process.env[name]
  delete process.env[name]
  try {
    return work()
  } finally {
    if (kept !== undefined) process.env[name] = kept
  }
}
