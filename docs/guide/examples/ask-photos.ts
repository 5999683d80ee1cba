import { Client } from "sluice"

interface Photo {
  id: number
  label: string
  width: number
  image: Uint8Array
}

/** The largest photos of a label, and how many there are of each. */
export const askPhotos = async (uri: string, label: string) => {
  const client = new Client({ uri })

  const largest = await client
    .table<Photo>("photos")
    .select("id", "width", "image")
    .where("label = $1", label)
    .where("width > $2", 640)
    .orderBy("width DESC, id")
    .limit(3)
    .execute()

  const labels = await client.query<{ label: string; count: number }>(
    "SELECT label, count(*) FROM photos GROUP BY label HAVING count(*) >= $1 ORDER BY count DESC, label",
    [2],
  )
  return { largest: largest.map(({ id, image }) => ({ id, bytes: image.length })), labels }
}
