"""The exercises of the lessons on version 2: a module for each lesson, as for version 1 in the folder above."""
