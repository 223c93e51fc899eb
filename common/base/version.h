#pragma once
/* The one place that names the version; the build reads it from here. */
#define TERRANE_VERSION "0.1.0"
