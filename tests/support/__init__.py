"""What tests of several rooms are written with: lines and portals, clocks, emulated servers, processes."""
