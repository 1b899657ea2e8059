import type { Plan } from '../plan.js'

/**
 * The plan with schema-qualified names in what its hazards and findings say, where it touches more than one schema: two schemas may have
 * an index of one name. Names inside of statements, and those that are qualified already, stay as they are.
 */
export function withSchemas<P extends Plan>(plan: P): P {
  const schemas = new Set(plan.steps.map(({ schema }) => schema))
  if (schemas.size < 2) return plan
  return {
    ...plan,
    steps: plan.steps.map((step) => {
      const names = [step.index, ...(step.existing === null ? [] : [step.existing.name])]
      const qualify = (text: string) => names.reduce((said, name) => qualified(said, step.schema, name), text)
      return {
        ...step,
        hazards: step.hazards.map((hazard) => ({ ...hazard, message: qualify(hazard.message) })),
      }
    }),
    findings: plan.findings.map((finding) => {
      const schema = finding.table?.split('.', 1).join('') ?? ''
      if (finding.index === undefined || schema === '') return finding
      return { ...finding, message: qualified(finding.message, schema, finding.index) }
    }),
  }
}

/** A name that may be a word of the sentence is qualified where the sentence begins with it, every other one wherever it stands. */
function qualified(text: string, schema: string, name: string): string {
  const literal = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const pattern = /^[a-z]+$/.test(name)
    ? new RegExp(`^${literal}(?=[ ,:])`, 'g')
    : new RegExp(`(?<![\\w."])${literal}(?![\\w"])`, 'g')
  return text.replaceAll(pattern, () => `${schema}.${name}`)
}
