// Prints as JSON what openDAW's library finds in a .dawproject file.
import {readFileSync} from "node:fs"
import {JSDOM} from "jsdom"
import JSZip from "jszip"

// The library was written for a browser.
const {window} = new JSDOM("")
for (const name of ["DOMParser", "Document", "Element", "Node", "document"]) globalThis[name] = window[name]
const {Xml} = await import("@opendaw/lib-xml")
const schema = await import("@opendaw/lib-dawproject")

const archive = await JSZip.loadAsync(readFileSync(process.argv[2]))
const read = async (name, shape) => Xml.parse(await archive.file(name).async("string"), shape)
const project = await read("project.xml", schema.ProjectSchema)
const metadata = await read("metadata.xml", schema.MetaDataSchema)
process.stdout.write(JSON.stringify({project, metadata, files: Object.keys(archive.files)}))
