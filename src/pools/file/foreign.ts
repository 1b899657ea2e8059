import type { Foreign } from './foreign-facts.js'
import { plainDocuments } from '../../yaml/document/plain-documents.js'
import { composeOrDeployments } from './foreign-yaml.js'
import { pgbouncerIni, prismaSchema, properties } from './foreign-text.js'

const programs = /\.(rb|py|js|cjs|mjs|ts|php|sh|erb)$/

/**
 * What a file of an application or a platform says of pools: pgbouncer.ini, docker-compose.yml, Deployments and HorizontalPodAutoscalers of
 * Kubernetes, database.yml, application.properties, schema.prisma. Programs are not executed, and so not read.
 */
export function readForeign(file: string, text: string): Foreign {
  if (programs.test(file))
    return { known: [], left: [`${file}: is a program, which is not executed: declare its numbers by hand`] }
  if (file.endsWith('.ini')) return pgbouncerIni(file, text)
  if (file.endsWith('.properties')) return properties(file, text)
  if (file.endsWith('.prisma')) return prismaSchema(file, text)
  if (!/\.ya?ml$/.test(file)) return { known: [], left: [`${file}: its kind is not known`] }
  if (text.includes('<%')) return { known: [], left: [`${file}: holds ERB, which is not executed`] }
  const { documents, errors } = plainDocuments(text)
  const parts = documents.map((document) => composeOrDeployments(file, document))
  const broken = errors.map(({ line, message }) => `${file}:${line}: ${message}`)
  const known = parts.flatMap((part) => part.known)
  const left = [...broken, ...parts.flatMap((part) => part.left)]
  return { known, left: known.length + left.length === 0 ? [`${file}: nothing about pools was found in it`] : left }
}
