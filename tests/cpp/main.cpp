#include "test.h"

int main(int argc, char** argv) { return hopspan::test::main(argc, argv); }
