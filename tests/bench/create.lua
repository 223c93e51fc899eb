-- wrk: every POST names a room that is not there yet, with an operator's token.
local prefix = "r" .. os.getenv("BENCH_ROUND") .. "-"
local count = 0

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = os.getenv("BENCH_TOKEN")

function request()
    count = count + 1
    return wrk.format(nil, nil, nil, '{"roomId":"' .. prefix .. count .. '"}')
end
