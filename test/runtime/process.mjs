import { open } from '../../dist/runtime.mjs'

/* A process of its own: says what it knows of a user whenever it is asked. */
const { file, environment } = JSON.parse(process.argv[2])
const app = await open({ file, service: 'api', environment })
process.on('message', (user) => {
  if (user === '') void app.close().then(() => process.disconnect())
  else void app.tenant(user).then((tenant) => process.send({ row: tenant?.row, hits: app.health().cache.hit_rate }))
})
process.send('ready')
