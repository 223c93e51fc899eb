# Writes OUT, the OpenAPI document of worlds, from its parts in IN, and its entity tag beside it (OUT with .etag).
# document.json is the outermost object; the members of paths/*.json become those of `paths`, likewise below
# `components`. Each part is one object; only its braces are looked at. VERSION stands for @VERSION@.
cmake_minimum_required(VERSION 3.22)

function(members out) # FILE...: what stands between the outermost braces of each, joined by commas
    set(all "")
    foreach(file ${ARGN})
        file(READ "${file}" text)
        string(STRIP "${text}" text)
        string(LENGTH "${text}" length)
        math(EXPR inner "${length} - 2")
        string(SUBSTRING "${text}" 1 ${inner} text)
        string(STRIP "${text}" text)
        if(NOT all STREQUAL "")
            string(APPEND all ",\n")
        endif()
        string(APPEND all "${text}")
    endforeach()
    set(${out} "${all}" PARENT_SCOPE)
endfunction()

file(GLOB paths "${IN}/paths/*.json")
file(GLOB schemas "${IN}/schemas/*.json")
members(head "${IN}/document.json")
members(paths ${paths})
members(security "${IN}/security.json")
members(parameters "${IN}/parameters.json")
members(responses "${IN}/responses.json")
members(schemas ${schemas})
string(REPLACE "@VERSION@" "${VERSION}" head "${head}")
set(all "{${head},\n\"paths\":{${paths}},\n\"components\":{\"securitySchemes\":{${security}},\n")
string(APPEND all "\"parameters\":{${parameters}},\n\"responses\":{${responses}},\n\"schemas\":{${schemas}}}}\n")
string(REGEX REPLACE "\n +" "\n" all "${all}") # no text in JSON holds a line feed
file(WRITE "${OUT}" "${all}")
string(SHA256 sum "${all}")
string(SUBSTRING "${sum}" 0 32 sum)
file(WRITE "${OUT}.etag" "\"${sum}\"")
