/**
 * Where a server may lead us: to one that is as far outside as itself, or farther. Else whoever answers in its name
 * could have this machine ask its own network, or the service that tells a cloud's machines their passwords.
 *
 * Names are looked up here and again by `fetch`, which could be told another address then; that an answer over https
 * needs a certificate for the name is what is left against it.
 */
import { lookup } from "node:dns/promises"
import { BlockList, isIP } from "node:net"

/** Networks by how far inside they are: of an organization, of this machine, and those that nobody is led to. */
const NETWORKS = [
  ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "fc00::/7"],
  ["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"],
  // Of one link (the metadata of clouds among them), to many at once, and of no use.
  ["169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8", "240.0.0.0/4"],
] as const
const NEVER = NETWORKS.length

const LISTS = NETWORKS.map((networks) => {
  const list = new BlockList()
  for (const network of networks) {
    const [address = "", bits] = network.split("/")
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? "ipv4" : "ipv6")
  }
  return list
})

/** The IPv4 address inside of an IPv6 one that only stands for it (RFC 4291, 2.5.5.2; RFC 6052). */
const embedded = (address: string): string | undefined => {
  const plain = new URL(`http://[${address}]`).hostname
  const [, high, low] = /^\[(?:::ffff:|64:ff9b::)(?:([\da-f]+):)?([\da-f]+)\]$/.exec(plain) ?? []
  if (low === undefined) return undefined
  const [a, b] = [high ?? "0", low].map((group) => Number.parseInt(group, 16))
  return [(a ?? 0) >> 8, (a ?? 0) & 255, (b ?? 0) >> 8, (b ?? 0) & 255].join(".")
}

/** 0: outside. */
const depthOf = (address: string): number => {
  const plain = isIP(address) === 6 ? (embedded(address) ?? address) : address
  return LISTS.findIndex((list) => list.check(plain, isIP(plain) === 4 ? "ipv4" : "ipv6")) + 1
}

const addressesOf = async ({ hostname }: URL): Promise<readonly string[]> => {
  // URLs have made one form of all spellings of a number (0x7f.1, 2130706433).
  const literal = hostname.replace(/^\[(.*)\]$/, "$1")
  if (isIP(literal)) return [literal]
  // What has no address cannot be asked either: that is for the request to say.
  return lookup(hostname, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => [],
  )
}

const deepest = async (url: URL): Promise<number> => Math.max(0, ...(await addressesOf(url)).map(depthOf))

/** Whether a server at `from` may send us to `to`. */
export const mayLead = async (from: URL, to: URL): Promise<boolean> => {
  if (from.hostname === to.hostname) return true
  const depth = await deepest(to)
  return depth === 0 || (depth < NEVER && depth <= (await deepest(from)))
}
