-- What wrk sends: a body from a file, its places filled with a number that grows by one at each request.
-- Arguments: file, first number, count of notes.

local COUNTER, NOTE = "@@@@@@@@@@@@", "@note@"
local parts, places, number, notes = {}, {}, 0, 1
local prepared

local function split(template)
  local from = 1
  while true do
    local counter, counter_end = template:find(COUNTER, from, true)
    local note, note_end = template:find(NOTE, from, true)
    local at, at_end, place = counter, counter_end, "counter"
    if note and (not counter or note < counter) then at, at_end, place = note, note_end, "note" end
    if not at then break end
    parts[#parts + 1] = template:sub(from, at - 1)
    parts[#parts + 1] = ""
    places[#parts] = place
    from = at_end + 1
  end
  parts[#parts + 1] = template:sub(from)
end

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer key"
  local file = assert(io.open(args[1], "rb"))
  split(file:read("*a"))
  file:close()
  number, notes = tonumber(args[2]), tonumber(args[3])
  if next(places) == nil then prepared = wrk.format(nil, nil, nil, parts[1]) end
end

function request()
  if prepared then return prepared end
  for at, place in pairs(places) do
    parts[at] = place == "counter" and string.format("%012d", number) or tostring(number % notes)
  end
  number = number + 1
  return wrk.format(nil, nil, nil, table.concat(parts))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "p99": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
