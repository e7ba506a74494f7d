// Reads every feed named on the command line with ical.js and prints what it found as JSON, one feed a line.
//
// A feed fails where ical.js cannot parse it, where a component has no UID, or where a time names a zone that the
// feed does not define.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("./js/package.json", import.meta.url));
const ICAL = (await import(pathToFileURL(require.resolve("ical.js")))).default;

function namedZones(component) {
  const named = component
    .getAllProperties()
    .map((property) => property.getParameter("tzid"))
    .filter(Boolean);
  return component.getAllSubcomponents().reduce((all, inner) => all.concat(namedZones(inner)), named);
}

let failed = false;
for (const path of process.argv.slice(2)) {
  const found = { path, components: 0, instances: [], problems: [] };
  try {
    const calendar = new ICAL.Component(ICAL.parse(readFileSync(path, "utf8")));
    const zones = calendar.getAllSubcomponents("vtimezone");
    const defined = new Set(zones.map((zone) => zone.getFirstPropertyValue("tzid")));
    for (const zone of zones) ICAL.TimezoneService.register(zone);
    for (const component of calendar.getAllSubcomponents()) {
      if (component.name === "vtimezone") continue;
      found.components += 1;
      const uid = component.getFirstPropertyValue("uid");
      if (!uid) found.problems.push("a component has no UID");
      for (const tzid of namedZones(component)) {
        if (!defined.has(tzid)) found.problems.push(`${uid} names the zone ${tzid}, which is not defined`);
      }
      if (component.name !== "vevent" || component.hasProperty("recurrence-id")) continue;
      const event = new ICAL.Event(component);
      if (!event.startDate) continue;
      const series = event.iterator();
      for (let count = 0; count < 5; count += 1) {
        const upcoming = series.next();
        if (!upcoming) break;
        const next = upcoming.start ?? upcoming; // an RDATE may be a period
        const when = next.isDate ? next.toString() : next.convertToZone(ICAL.Timezone.utcTimezone).toString();
        found.instances.push(`${uid} ${when}`);
      }
    }
    ICAL.TimezoneService.reset();
  } catch (error) {
    found.problems.push(`${error.name}: ${error.message}`);
  }
  failed = failed || found.problems.length > 0;
  console.log(JSON.stringify(found));
}
process.exitCode = failed ? 1 : 0;
