import { Result } from "effect"
import { decodeDefinition, encodeDefinition } from "../events/Definition.ts"
import { decodePipelineEvent } from "../events/upcast.ts"
const wire = { name: "p", stages: { in: { source: { use: "memory", path: "x" } }, m: { from: "in", map: { a: "record.a", b: "1" } }, e: { from: ["m", {stage:"in", when: "true"}], map: { set: {a:"1"}, drop: ["b"] } }, out: { from: [{stage:"e"}], sink: { use: "memory", columns: ["a"] } } } }
const d = Result.getOrThrow(decodeDefinition(wire))
console.log(JSON.stringify(d)); console.log(JSON.stringify(encodeDefinition(d)))
const row = { position:1, stream:"pipeline/p", version:3, type:"Nope", schemaVersion:1, payload:'{"_tag":"Nope"}', at:0,eventId:"e",causationId:null,correlationId:null,by:"x",epoch:1,hash:""}
const show = (r: any) => { const x = decodePipelineEvent(r); console.log(Result.isFailure(x) ? x.failure.message : x.success) }
show(row); show({...row, payload: '{"_tag":"Paused","x":1}', type: "Resumed"}); show({...row, payload: "{"}); show({...row, schemaVersion: 2}); show({...row, payload:'{"_tag":"DesiredStatusSet","desired":"Up"}'})
show({...row, payload: JSON.stringify({_tag:"OutputFinished",stage:"a",output:JSON.parse('{"__proto__":{"a":1}}')})})
for (const t of ["1.5s","0.0000001ms","99999999999999999999999d","1.1m", "0s","0.1ms"]) { try { const dd = Result.getOrThrow(decodeDefinition({...wire, runtime: {max_buffering: t}})); const e = encodeDefinition(dd) as any; console.log(t, dd.runtime.maxBuffering, e.runtime.max_buffering, Result.isSuccess(decodeDefinition(e))) } catch (e) { console.log(t, String(e).slice(0,200)) } }
