import { Effect, Schema } from "effect"
import { fileSource } from "/work/main/src/drivers/file/FileSource.ts"
const path = process.argv[2]!
const ours = Effect.scoped(Effect.gen(function*(){
  const s = yield* fileSource.make(Schema.decodeUnknownSync(fileSource.config)({path, ...JSON.parse(process.argv[3] ?? "{}")}), {pipeline:{id:"a",name:"a"},stage:"s",base:process.cwd()})
  const r = yield* s.open(null); let n=0, rss=0, fails=0, first: any, mm: any
  for(;;){ const b = yield* r.next({records:1000,bytes:8<<20}); if(!b)break; first??=b.records[0]; n+=b.records.length; for(const x of b.records) if(x.failure) fails++; if(n%20000===0) {const m=process.memoryUsage(); if(m.rss>rss){rss=m.rss; mm=m}} }
  console.log(Object.entries(mm).map(([k,v])=>k+" "+Math.round((v as number)/1e6)).join(", ")); console.log(JSON.stringify(first.payload), Math.round(rss/1e6),"MB", fails,"failures"); return n
}))
console.log("base rss", Math.round(process.memoryUsage.rss()/1e6))
for(let i=0;i<3;i++){const t=performance.now(); const n=await Effect.runPromise(ours); console.log(n, Math.round(n/(performance.now()-t)*1000),"rows/s")}
