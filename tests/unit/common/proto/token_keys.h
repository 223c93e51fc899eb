#pragma once
/* Public keys and tokens signed with their private halves, which were thrown away. Claims:
 * {"worlds":["world-a"],"exp":1700000000}. */

static const char rsa_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4NbuAfsh5iMB3508K7zQ\n"
                              "GNIfCnjSP0J1c34qwTZyTffpx/NNUkpjUxTszlXqcD5ChEJVtDFyVOu4HJJyGpf7\n"
                              "87gmwG2w6upDTqd4yquPMA1AZn0kTEeilsuNk3zQK0e0LjHm4dTZU70zlQzE6M/K\n"
                              "fRfJfkZcqi6E4TwKmla6MqTFC/ereNfqW7fNbEhmLSg0dQHQaIrXzHRpLmNMUsLo\n"
                              "eu2fMrC9DqyFdxScsyl7OQLpmEwU0/1o1lYnm/8JXpg4J7MOkcMJH1R5xZuvVNFz\n"
                              "qUIlV2TIvQJF2fXivO2Sqb5hKBvMgDjcS15AUa44Isori26QJlaW1kPiN8MAuid4\n"
                              "sQIDAQAB\n"
                              "-----END PUBLIC KEY-----\n";

static const char p256_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoInASot3HsE5s3uTw2R4aU0kIapq\n"
                               "cheQFWc0hmMq6fVmjA4fo9RHb5aot3yMwYKRrHODFSDoawoBWaGlbSWuPg==\n"
                               "-----END PUBLIC KEY-----\n";

static const char p384_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEAiw7qmz5BvXjUgKsEb2goVl1xsBP8qok\n"
                               "irCEZhn9jbUM+iS+qVaCl0zgOjQZTve/IJ8ntnUHon5dqdoqvlyjSWjxaUl1oq9D\n"
                               "obLpLov4jXi6vVcPgX3x9fDTt3Y5BbWp\n"
                               "-----END PUBLIC KEY-----\n";

static const char ed25519_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                  "MCowBQYDK2VwAyEAX7O5DgtNrQjrURFcnx/n70rn094/9mrdRmhM68IXVzc=\n"
                                  "-----END PUBLIC KEY-----\n";

static const char rs256_token[] =
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJ3b3JsZHMiOlsid29ybGQtYSJdLCJleHAiOjE3MDA"
    "wMDAwMDB9.dyyI9aQPLwGv7djArUrjj8q9iq-ZYQ-XL4x1yL_LdZHDKfoIVIMcMS6WXOXCcgIv6HaDoS"
    "zXGy2OzSgoJSbTTjAiYzoRbbc_pisvzR7BAITNr0-cKB5tDbZq4TzDGr6mHr8d8HVyK9V1vJHV4VY-wK"
    "wNHqBC_yZYcjieHnHLbC1Lxx9kLVjbZWc7kHsAyw4tqk9ZP9scIsTK16-omuGI-BRQ_DKxyvqhYJeyU3"
    "YU-qVCnbpagWULXA3Uw-4iUYpvTb8JVlCs0U84fzvDjRYlP0H5xwNbiMWDIDxS3N5CFhu0zn_5L_bk6h"
    "OTNn8cpmvECArHrJ_hZP0hihD4RHu_bQ";

static const char es256_token[] =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJ3b3JsZHMiOlsid29ybGQtYSJdLCJleHAiOjE3MDA"
    "wMDAwMDB9.la0vhg11fROd9zJuPmUOwUNToDPIzSnvYtHqDqQ0ymjIU3ZwClQddrewXbRH8i3DugpR9U"
    "pj3ihrROReczUIGw";
