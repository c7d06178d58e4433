#!/usr/bin/env node
/** The part of the aws command line that plans are written in, made of the SDK: `aws SERVICE OPERATION --name value…`. */
const [service, operation, ...words] = process.argv.slice(2)
const sdk = await import(`@aws-sdk/client-${service}`)

const pascal = (text) =>
  text
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
    .replace('OpenIdConnect', 'OpenIDConnect')
    .replace(/ClientId(?=List|To|From|$)/, 'ClientID')
const camel = (text) => text.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())
const name = service === 'iam' ? pascal : camel
const lists = new Set(['client-id-list', 'kubernetes-groups', 'thumbprint-list'])

const input = {}
const own = {}
for (let index = 0; index < words.length; ) {
  const key = words[index].slice(2)
  const values = []
  for (index += 1; index < words.length && !words[index].startsWith('--'); index += 1) values.push(words[index])
  if (key === 'query' || key === 'output') own[key] = values[0]
  else input[name(key)] = lists.has(key) ? values : values[0]
}
const Client = sdk[`${service.toUpperCase()}Client`]
const Command = sdk[`${pascal(operation)}Command`]
const answer = await new Client({}).send(new Command(input))
if (own.query === 'associations[0].associationId') console.log(answer.associations[0].associationId)
else if (own.query === 'Role.AssumeRolePolicyDocument')
  // The real one decodes policies, and indents what it prints.
  console.log(JSON.stringify(JSON.parse(decodeURIComponent(answer.Role.AssumeRolePolicyDocument)), null, 4))
else console.log(JSON.stringify(answer))
